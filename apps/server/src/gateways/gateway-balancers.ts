import { BackendError, type BalancerRequest, type BalancerState, type BalancerSupport, type Call, type MachineRef, type Termination } from '@dstack/backend-base'; // prettier-ignore
import { balancerName, displayBackend } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { ComputeAccounts } from '../offers/compute-accounts.js';
import { WORLD, type World } from '../world/world.js';
import { certificateOf, type GatewayRecord } from './gateway-record.js';

const CALL_DEADLINE_MS = 60_000;

/** Where requests come to a gateway behind a load balancer. */
export type JoinedBalancer = Omit<Extract<BalancerState, { readonly state: 'ready' }>, 'state'>;

/** A gateway with a certificate of its cloud is behind a load balancer, whose name is the gateway's own. */
export function hasBalancer(gateway: Pick<GatewayRecord, 'configuration'>): boolean {
  return certificateOf(gateway) === 'acm';
}

/** The load balancers before gateways. All calls may be repeated, and need nothing but the gateway's row. */
@Injectable()
export class GatewayBalancers {
  constructor(
    private readonly accounts: ComputeAccounts,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** Early, as it takes minutes, and as a refusal is to be known before a machine is rented. */
  async prepare(gateway: GatewayRecord, projectName: string, signal: AbortSignal): Promise<void> {
    const balancers = await this.open(gateway);
    await balancers.ensure(await this.request(gateway, projectName), this.call(signal));
  }

  /** @throws {BackendError} also while it is waited for */
  async join(
    gateway: GatewayRecord,
    projectName: string,
    machine: MachineRef,
    signal: AbortSignal,
  ): Promise<JoinedBalancer> {
    const balancers = await this.open(gateway);
    const request = await this.request(gateway, projectName);
    const balancer = await balancers.ensure(request, this.call(signal));
    // Both take a while: meanwhile the machine is looked at.
    const waits = await balancers.join(request, machine, this.call(signal));
    if (balancer.state === 'pending') throw waiting(balancer.reason);
    if (waits !== null) throw waiting(waits);
    return { hostname: balancer.hostname, addresses: balancer.addresses };
  }

  async leave(gateway: GatewayRecord, machine: MachineRef, signal: AbortSignal): Promise<void> {
    await (await this.open(gateway)).leave(refOf(gateway), machine, this.call(signal));
  }

  async delete(gateway: GatewayRecord, signal: AbortSignal): Promise<Termination> {
    return (await this.open(gateway)).delete(refOf(gateway), this.call(signal));
  }

  private async request(gateway: GatewayRecord, project: string): Promise<BalancerRequest> {
    const { certificate, public_ip: publicIp, tags } = gateway.configuration;
    if (certificate?.type !== 'acm') throw new Error(`gateway ${gateway.name} has no certificate for a balancer`);
    const owner = await this.accounts.owner();
    return {
      ...refOf(gateway),
      owner,
      project,
      gatewayName: gateway.name,
      certificate: certificate.arn,
      isPublic: publicIp ?? true,
      tags: tags ?? {},
    };
  }

  private async open({ projectId, backendType }: GatewayRecord): Promise<BalancerSupport> {
    const { compute } = await this.accounts.open(projectId, backendType);
    const balancers = compute.gateways?.balancers;
    if (balancers !== undefined) return balancers;
    const text = `backend ${displayBackend(backendType)} has no load balancers in this version`;
    throw new BackendError({ kind: 'rejected', blocks: 'account' }, text);
  }

  private call(signal: AbortSignal): Call {
    return { signal, deadline: this.world.clock.now() + CALL_DEADLINE_MS };
  }
}

function refOf({ id, name, region }: GatewayRecord) {
  return { cloudName: balancerName({ id, name }), region };
}

function waiting(text: string): BackendError {
  return new BackendError({ kind: 'outage', blocks: 'offer' }, text);
}
