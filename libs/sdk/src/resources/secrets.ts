import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Secrets {
  constructor(private readonly project: ProjectCalls) {}

  /** Without values. */
  list(options?: CallOptions): Promise<Wire.Secret[]> {
    return this.project.read('secrets/list', undefined, options);
  }

  get(name: string, options?: CallOptions): Promise<Wire.Secret> {
    return this.project.read('secrets/get', { name } satisfies Wire.GetSecretRequest, options);
  }

  set(name: string, value: string, options?: CallOptions): Promise<Wire.Secret> {
    const body: Wire.CreateOrUpdateSecretRequest = { name, value };
    return this.project.write('secrets/create_or_update', body, options);
  }

  async delete(names: readonly string[], options?: CallOptions): Promise<void> {
    await this.project.write('secrets/delete', { secrets_names: [...names] }, options);
  }
}
