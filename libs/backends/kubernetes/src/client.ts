import { BackendError, type BackendEnvironment, type Call, isBackendError } from '@dstack/backend-base';
import { RestClient, type RestRequest } from '@dstack/backend-base/rest';
import type { V1PersistentVolumeClaim, V1Pod, V1Secret, V1Service } from '@kubernetes/client-node';
import { z } from 'zod';
import type { ClusterAccess } from './cluster-access.js';
import { explainKubernetes, isMissing } from './errors.js';
import {
  anyReply,
  type Claim,
  claimReply,
  claimsReply,
  type KubeNode,
  nodesReply,
  type Pod,
  podReply,
  podsReply,
  type Service,
  serviceReply,
  versionReply,
} from './schema.js';

const PAGE = 500;

export interface ClientOptions {
  readonly server: string;
  readonly namespace: string;
  readonly access: ClusterAccess;
  readonly environment: BackendEnvironment;
}

interface Page<T> {
  readonly metadata: { readonly continue?: string | null | undefined };
  readonly items: T[];
}

/** The calls that are used of the core API of one cluster, in one namespace. */
export class KubernetesClient {
  private constructor(
    private readonly rest: RestClient,
    private readonly namespace: string,
  ) {}

  static async open({ server, namespace, access, environment }: ClientOptions): Promise<KubernetesClient> {
    const rest = await RestClient.open({
      baseUrl: server.replace(/\/$/, ''),
      headers: { accept: 'application/json' },
      connection: (signal) => access.connection(signal),
      secrets: access.secrets,
      explain: explainKubernetes,
      environment,
    });
    return new KubernetesClient(rest, namespace);
  }

  async version(call: Call): Promise<string> {
    return (await this.send({ method: 'GET', path: '/version', schema: versionReply }, call)).gitVersion;
  }

  nodes(call: Call): Promise<KubeNode[]> {
    return this.all('/api/v1/nodes', {}, nodesReply, call);
  }

  /** Of the whole cluster, as far as they hold on to something. */
  unfinishedPods(call: Call): Promise<Pod[]> {
    return this.all('/api/v1/pods', { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' }, podsReply, call);
  }

  podsWith(labels: Readonly<Record<string, string>>, call: Call): Promise<Pod[]> {
    return this.all(this.path('pods'), { labelSelector: selector(labels) }, podsReply, call);
  }

  claimsWith(labels: Readonly<Record<string, string>>, call: Call): Promise<Claim[]> {
    return this.all(this.path('persistentvolumeclaims'), { labelSelector: selector(labels) }, claimsReply, call);
  }

  pod(name: string, call: Call): Promise<Pod | null> {
    return this.find('pods', name, podReply, call);
  }

  service(name: string, call: Call): Promise<Service | null> {
    return this.find('services', name, serviceReply, call);
  }

  claim(name: string, call: Call): Promise<Claim | null> {
    return this.find('persistentvolumeclaims', name, claimReply, call);
  }

  createPod(body: V1Pod, call: Call): Promise<Pod> {
    return this.create('pods', body, podReply, call);
  }

  createService(body: V1Service, call: Call): Promise<Service> {
    return this.create('services', body, serviceReply, call);
  }

  async createSecret(body: V1Secret, call: Call): Promise<void> {
    await this.create('secrets', body, anyReply, call);
  }

  createClaim(body: V1PersistentVolumeClaim, call: Call): Promise<Claim> {
    return this.create('persistentvolumeclaims', body, claimReply, call);
  }

  /** What was deleted, as it was; null: there is none. */
  async deletePod(name: string, call: Call): Promise<Pod | null> {
    const reply = await this.remove('pods', name, call);
    return reply === null ? null : (podReply.safeParse(reply).data ?? null);
  }

  /** False: there is none. */
  async delete(kind: 'services' | 'secrets' | 'persistentvolumeclaims', name: string, call: Call): Promise<boolean> {
    return (await this.remove(kind, name, call)) !== null;
  }

  /** Null: the namespace is there. */
  async ensureNamespace(call: Call): Promise<void> {
    const path = `/api/v1/namespaces/${encodeURIComponent(this.namespace)}`;
    const known = await this.send({ method: 'GET', path, schema: anyReply }, call).catch(unlessMissing);
    if (known !== null) return;
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } };
    await this.send({ method: 'POST', path: '/api/v1/namespaces', body, schema: anyReply }, call);
  }

  private create<T>(kind: string, body: object, schema: z.ZodType<T>, call: Call): Promise<T> {
    return this.send({ method: 'POST', path: this.path(kind), body, schema }, call);
  }

  private find<T>(kind: string, name: string, schema: z.ZodType<T>, call: Call): Promise<T | null> {
    return this.send({ method: 'GET', path: this.path(kind, name), schema }, call).catch(unlessMissing);
  }

  private remove(kind: string, name: string, call: Call): Promise<object | null> {
    return this.send({ method: 'DELETE', path: this.path(kind, name), schema: z.looseObject({}) }, call).catch(
      unlessMissing,
    );
  }

  private path(kind: string, name?: string): string {
    const base = `/api/v1/namespaces/${encodeURIComponent(this.namespace)}/${kind}`;
    return name === undefined ? base : `${base}/${encodeURIComponent(name)}`;
  }

  private async all<T>(
    path: string,
    query: Record<string, string>,
    schema: z.ZodType<Page<T>>,
    call: Call,
  ): Promise<T[]> {
    const items: T[] = [];
    let next: string | null = null;
    do {
      const page: Page<T> = await this.send(
        { method: 'GET', path, query: { ...query, limit: PAGE, ...(next === null ? {} : { continue: next }) }, schema },
        call,
      );
      items.push(...page.items);
      next = page.metadata.continue ?? null;
    } while (next !== null && next !== '');
    return items;
  }

  /** A failing cluster says nothing about the others. */
  private async send<T>(request: RestRequest<T>, call: Call): Promise<T> {
    try {
      return await this.rest.send(request, call);
    } catch (error) {
      if (!isBackendError(error) || error.failure.blocks !== 'account') throw error;
      throw new BackendError({ ...error.failure, blocks: 'region' }, error.message, { cause: error });
    }
  }
}

function selector(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(','); // prettier-ignore
}

function unlessMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}
