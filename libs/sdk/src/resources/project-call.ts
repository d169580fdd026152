import type { CallOptions, Transport } from '../http/transport.js';

/** Calls of one project; every resource of a project is built on it. */
export class ProjectCalls {
  constructor(
    readonly transport: Transport,
    readonly name: string,
  ) {}

  read<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.transport.json<T>({ path: this.path(path), body, repeatable: 'read', ...options });
  }

  write<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    return this.transport.json<T>({ path: this.path(path), body, repeatable: 'write', ...options });
  }

  /** A read with its parameters in the address. */
  get<T>(path: string, query: Record<string, string | number | undefined>, options: CallOptions = {}): Promise<T> {
    return this.transport.json<T>({ method: 'GET', path: this.path(path), query, repeatable: 'read', ...options });
  }

  path(rest: string): string {
    return `/api/project/${encodeURIComponent(this.name)}/${rest}`;
  }
}
