import {
  BackendError,
  type Call,
  type GatewaySupport,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import {
  arrivalMs,
  balancerName,
  displayBackend,
  type GatewayReplicaEffect,
  mayHaveMadeMore,
  mayStillArrive,
  type Offer,
  undecided,
} from '@dstack/core';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { type ComputeAccount, ComputeAccounts } from '../offers/compute-accounts.js';
import { Database } from '../persistence/database.js';
import { beginCreateCall, type Mark } from '../reconcile/begin-create-call.js';
import { lookFirst } from '../reconcile/look-first.js';
import type { ActContext } from '../reconcile/reconciler.js';
import { WORLD, type World } from '../world/world.js';
import { GatewayBalancers, hasBalancer, type JoinedBalancer } from './gateway-balancers.js';
import { GatewayHosts } from './gateway-hosts.js';
import type { GatewayRecord } from './gateway-record.js';
import type { GatewayReplicaRecord } from './gateway-replica-record.js';
import type { GatewayReplicaView } from './gateway-replica-snapshots.js';

const CALL_DEADLINE_MS = 60_000;

export interface PlannedReplica {
  readonly maxNameLength: number;
}

interface Account extends ComputeAccount {
  readonly gateways: GatewaySupport;
}

type Context = ActContext<GatewayReplicaView>;

/** The outside half of a gateway replica's life. */
@Injectable()
export class GatewayReplicaEffects {
  private readonly log = new Logger('Gateways');

  constructor(
    private readonly db: Database,
    private readonly accounts: ComputeAccounts,
    @Inject(GatewayHosts) private readonly hosts: GatewayHosts,
    @Inject(GatewayBalancers) private readonly balancers: GatewayBalancers,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async perform(effect: GatewayReplicaEffect, context: Context): Promise<unknown> {
    const { record } = context.snapshot;
    switch (effect.do) {
      case 'plan': {
        const { definition } = await this.account(context);
        const { gateway, projectName } = context.snapshot;
        if (hasBalancer(gateway)) await this.balancers.prepare(gateway, projectName, context.signal);
        return { maxNameLength: definition.maxNameLength } satisfies PlannedReplica;
      }
      case 'create':
        return this.create(context);
      case 'poll':
        return this.poll(context);
      case 'install':
        return this.hosts.install(record, () => this.markVisited(record), context.signal);
      case 'join':
        return this.join(context);
      case 'terminate':
        return record.hostName === null ? this.terminate(context) : this.uninstall(context);
      default:
        return undecided(effect);
    }
  }

  private async create(context: Context): Promise<MachineState> {
    const { record, gateway, projectName, projectPublicKey } = context.snapshot;
    const { cloudName, token } = record;
    if (cloudName === null || token === null) throw new Error('a gateway replica is created without a name');
    const account = await this.account(context);
    const find = () => this.findMade(account, context);
    const made = await lookFirst('machine', record, account.definition, context.now, find);
    if (made !== null) return { state: 'pending', ref: made };
    const { configuration, region } = gateway;
    const owner = await this.accounts.owner();
    const tools = {
      clock: this.world.clock,
      signal: context.signal,
      writeDurable: (work: Mark) => this.db.writeDurable(work),
    };
    const { id, status, askedAt } = record;
    const row = { table: 'gateway_replicas', id, status, askedAt, isOpen: 'machine IS NULL' } as const;
    const call = await beginCreateCall(tools, row);
    return account.gateways.createReplica(
      {
        token,
        cloudName,
        owner,
        project: projectName,
        user: '',
        instanceName: `${gateway.name}-${record.replicaNum}`,
        offer: placeOf(gateway.backendType, region, configuration.instance_type ?? 'gateway'),
        zone: null,
        reservation: null,
        tags: configuration.tags ?? {},
        authorizedKeys: [projectPublicKey],
        volumeIds: [],
        placementGroup: null,
        userData: null,
        container: null,
        publicIp: configuration.public_ip ?? true,
        instanceType: configuration.instance_type ?? null,
        balancer: hasBalancer(gateway) ? balancerName(gateway) : null,
      },
      call,
    );
  }

  private async poll(context: Context): Promise<MachineState | null> {
    const { machine } = context.snapshot.record;
    if (machine === null) return null;
    const { compute } = await this.account(context);
    return compute.get(machine.ref, this.call(context));
  }

  private join({ snapshot: { gateway, projectName, record }, signal }: Context): Promise<JoinedBalancer> {
    if (record.machine === null) throw new Error('a gateway replica without a machine joins no balancer');
    return this.balancers.join(gateway, projectName, record.machine.ref, signal);
  }

  /** Everything that may exist: the machine, and what a create call without an answer may have made. */
  private async terminate(context: Context): Promise<Termination> {
    const { record, gateway } = context.snapshot;
    const { machine, cloudName } = record;
    if (machine === null && record.askedAt === null) return 'done';
    if (machine !== null && hasBalancer(gateway)) await this.leave(gateway, machine.ref, context.signal);
    const account = await this.account(context);
    const isUnderWay = mayStillArrive(record, arrivalMs(account.definition), context.now);
    const byName = {
      cloudName: cloudName ?? '',
      machineId: null,
      region: gateway.region,
      zone: null,
      backendData: null,
    };
    const known = machine === null ? [] : [machine.ref];
    const more = mayHaveMadeMore(machine !== null, record) ? [(await this.findMade(account, context)) ?? byName] : [];
    let outcome: Termination = isUnderWay ? 'pending' : 'done';
    for (const ref of [...known, ...more])
      if ((await account.gateways.terminateReplica(ref, this.call(context))) === 'pending') outcome = 'pending';
    return outcome;
  }

  /** So that no request is sent to it while it ends; a balancer that cannot be asked sees by itself that the machine is gone. */
  private async leave(gateway: GatewayRecord, machine: MachineRef, signal: AbortSignal): Promise<void> {
    await this.balancers.leave(gateway, machine, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      this.log.warn(`A machine of gateway ${gateway.name} was not taken out of its balancer: ${String(error)}`);
    });
  }

  private async uninstall({ snapshot: { record }, signal }: Context): Promise<Termination> {
    if (record.wasVisited) await this.hosts.uninstall(record, signal);
    return 'done';
  }

  private async findMade({ compute }: Account, context: Context): Promise<MachineRef | null> {
    const { cloudName, token } = context.snapshot.record;
    const listed = await compute.list(await this.accounts.owner(), this.call(context));
    return (
      listed.find((each) => each.ref.cloudName === cloudName || (token !== null && each.token === token))?.ref ?? null
    );
  }

  /** Before anything is done there: whoever finds the row after a crash knows that there may be something to remove. */
  private async markVisited({ id, wasVisited }: GatewayReplicaRecord): Promise<void> {
    if (wasVisited) return;
    const marked = await this.db.writeDurable((tx) =>
      tx.execute(`UPDATE gateway_replicas SET visited = ? WHERE id = ? AND status <> 'terminated'`, [true, id]),
    );
    if (marked !== 1) throw new Error('somebody else changed the gateway replica meanwhile');
  }

  /** @throws {BackendError} when its backend is not configured any more, or has no gateways */
  private async account({ snapshot: { gateway } }: Context): Promise<Account> {
    const account = await this.accounts.open(gateway.projectId, gateway.backendType);
    const { gateways } = account.compute;
    if (gateways !== undefined) return { ...account, gateways };
    const text = `backend ${displayBackend(gateway.backendType)} has no gateways in this version`;
    throw new BackendError({ kind: 'rejected', blocks: 'account' }, text);
  }

  private call({ signal }: Context): Call {
    return { signal, deadline: this.world.clock.now() + CALL_DEADLINE_MS };
  }
}

/** Gateways are no offers: this is where one is to be, in the form in which machines are asked for. */
function placeOf(backend: Offer['backend'], region: string, type: string): Offer {
  return {
    backend,
    region,
    price: 0,
    availability: 'unknown',
    instance: {
      name: type,
      resources: {
        cpus: 0,
        memory_mib: 0,
        gpus: [],
        spot: false,
        disk: { size_mib: 0 },
        cpu_arch: null,
        description: '',
      },
    },
  };
}
