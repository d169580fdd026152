import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Backends {
  constructor(private readonly project: ProjectCalls) {}

  /** Types the server can be configured with. */
  types(options: CallOptions = {}): Promise<Wire.BackendType[]> {
    return this.project.transport.json({ path: '/api/backends/list_types', repeatable: 'read', ...options });
  }

  async create(configYaml: string, options?: CallOptions): Promise<void> {
    await this.project.write('backends/create_yaml', { config_yaml: configYaml }, options);
  }

  async update(configYaml: string, options?: CallOptions): Promise<void> {
    await this.project.write('backends/update_yaml', { config_yaml: configYaml }, options);
  }

  async yaml(name: string, options?: CallOptions): Promise<string> {
    const path = `backends/${encodeURIComponent(name)}/get_yaml`;
    return (await this.project.read<Wire.BackendInfoYAML>(path, undefined, options)).config_yaml;
  }

  async delete(types: readonly Wire.BackendType[], options?: CallOptions): Promise<void> {
    await this.project.write('backends/delete', { backends_names: [...types] }, options);
  }
}
