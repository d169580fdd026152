import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Instances {
  constructor(private readonly project: ProjectCalls) {}

  list(request: Wire.ListInstancesRequest = {}, options: CallOptions = {}): Promise<Wire.Instance[]> {
    const body: Wire.ListInstancesRequest = { project_names: [this.project.name], ...request };
    return this.project.transport.json({ path: '/api/instances/list', body, repeatable: 'read', ...options });
  }

  get(id: string, options?: CallOptions): Promise<Wire.Instance> {
    return this.project.read('instances/get', { id } satisfies Wire.GetInstanceRequest, options);
  }

  async healthChecks(request: Wire.GetInstanceHealthChecksRequest, options?: CallOptions): Promise<Wire.HealthCheck[]> {
    const path = 'instances/get_instance_health_checks';
    return (await this.project.read<Wire.GetInstanceHealthChecksResponse>(path, request, options)).health_checks;
  }
}
