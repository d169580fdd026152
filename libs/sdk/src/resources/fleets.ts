import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Fleets {
  constructor(private readonly project: ProjectCalls) {}

  list(request: Wire.ListProjectFleetsRequest = {}, options?: CallOptions): Promise<Wire.Fleet[]> {
    return this.project.read('fleets/list', request, options);
  }

  get(selector: Wire.GetFleetRequest, options?: CallOptions): Promise<Wire.Fleet> {
    return this.project.read('fleets/get', selector, options);
  }

  plan(spec: Wire.FleetSpecInput, options?: CallOptions): Promise<Wire.FleetPlan> {
    return this.project.read('fleets/get_plan', { spec }, options);
  }

  apply(plan: Wire.ApplyFleetPlanInput, force: boolean, options?: CallOptions): Promise<Wire.Fleet> {
    return this.project.write('fleets/apply', { plan, force } satisfies Wire.ApplyFleetPlanRequest, options);
  }

  async delete(names: readonly string[], options?: CallOptions): Promise<void> {
    await this.project.write('fleets/delete', { names: [...names] } satisfies Wire.DeleteFleetsRequest, options);
  }

  async deleteInstances(name: string, instanceNums: readonly number[], options?: CallOptions): Promise<void> {
    const body: Wire.DeleteFleetInstancesRequest = { name, instance_nums: [...instanceNums] };
    await this.project.write('fleets/delete_instances', body, options);
  }
}
