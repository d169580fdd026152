import { randomUUID } from 'node:crypto';

export interface Meta {
  name: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** As it goes over the wire; what is in it was checked against the published schema when it came in. */
export interface Stored {
  apiVersion: string;
  kind: string;
  metadata: Meta;
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

/** As it comes in. */
export interface Created {
  apiVersion: string;
  kind: string;
  metadata: Pick<Meta, 'name' | 'labels' | 'annotations'>;
  spec?: Record<string, unknown>;
  [field: string]: unknown;
}

/** What the API server keeps. */
export class Objects {
  private readonly all = new Map<string, Stored>();
  private version = 1;

  /** Undefined: the name is taken. */
  create(resource: string, namespace: string | null, body: Created): Stored | undefined {
    const key = keyOf(resource, namespace, body.metadata.name);
    if (this.all.has(key)) return undefined;
    const stored: Stored = {
      ...structuredClone(body),
      metadata: {
        ...structuredClone(body.metadata),
        ...(namespace === null ? {} : { namespace }),
        uid: randomUUID(),
        resourceVersion: this.nextVersion(),
        creationTimestamp: new Date().toISOString().replace(/\.\d+/, ''),
      },
    };
    this.all.set(key, stored);
    return stored;
  }

  get(resource: string, namespace: string | null, name: string): Stored | undefined {
    return this.all.get(keyOf(resource, namespace, name));
  }

  /** By name. @param namespace null: of all, or of none */
  list(resource: string, namespace: string | null): Stored[] {
    const prefix = namespace === null ? `${resource}/` : `${resource}/${namespace}/`;
    return [...this.all].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object); // prettier-ignore
  }

  touch(object: Stored): void {
    object.metadata.resourceVersion = this.nextVersion();
  }

  remove(resource: string, { metadata }: Stored): void {
    this.all.delete(keyOf(resource, metadata.namespace ?? null, metadata.name));
  }

  private nextVersion(): string {
    return String((this.version += 1));
  }
}

function keyOf(resource: string, namespace: string | null, name: string): string {
  return namespace === null ? `${resource}/${name}` : `${resource}/${namespace}/${name}`;
}
