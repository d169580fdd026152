import type { Wire } from '@dstack/core';
import type { CallOptions } from '../http/transport.js';
import type { ProjectCalls } from './project-call.js';

export class Gateways {
  constructor(private readonly project: ProjectCalls) {}

  list(request: Wire.ListGatewaysRequest = {}, options?: CallOptions): Promise<Wire.Gateway[]> {
    return this.project.read('gateways/list', request, options);
  }

  get(name: string, options?: CallOptions): Promise<Wire.Gateway> {
    return this.project.read('gateways/get', { name } satisfies Wire.GetGatewayRequest, options);
  }

  plan(spec: Wire.GatewaySpec, options?: CallOptions): Promise<Wire.GatewayPlan> {
    return this.project.read('gateways/get_plan', { spec }, options);
  }

  apply(plan: Wire.ApplyGatewayPlanInput, force: boolean, options?: CallOptions): Promise<Wire.Gateway> {
    return this.project.write('gateways/apply', { plan, force }, options);
  }

  /** @param owner the project whose gateway it is; null: this one */
  async setDefault(name: string, owner: string | null = null, options?: CallOptions): Promise<void> {
    await this.project.write('gateways/set_default', { name, gateway_project: owner }, options);
  }

  setWildcardDomain(name: string, domain: string, options?: CallOptions): Promise<Wire.Gateway> {
    return this.project.write('gateways/set_wildcard_domain', { name, wildcard_domain: domain }, options);
  }

  /** `force`: also when services use it, whom nobody reaches then. Servers of another make do not know it and never refuse. */
  async delete(names: readonly string[], options: CallOptions & { readonly force?: boolean } = {}): Promise<void> {
    const { force = false, ...rest } = options;
    await this.project.transport.json({
      path: this.project.path('gateways/delete'),
      body: { names: [...names] },
      ...(force ? { query: { force } } : {}),
      repeatable: 'write',
      ...rest,
    });
  }
}
