import {
  type Attempt,
  BackendError,
  type Call,
  type Compute,
  type Failure,
  type GatewaySupport,
  type Idempotency,
  type MachineState,
} from '@dstack/backend-base';
import type { InternalBackendType, MachineKind, Offer } from '@dstack/core';
import type { SimulatedAgent } from '../hosts/simulated-agent.js';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { Surroundings } from '../surroundings.js';
import { SimulatedDisks } from './simulated-disks.js';
import { memberOf } from './cloud-machine.js';
import { CloudMachines } from './cloud-machines.js';
import { CreateCalls } from './create-calls.js';
import { cloudOffers } from './cloud-offers.js';

export interface CloudAccount {
  readonly regions: readonly string[];
  readonly creds: { readonly key: string };
}

interface AskedFor {
  readonly timeoutMs?: number;
  readonly onTrouble?: () => void;
  readonly lateMs?: readonly [number, number];
}

type Ask = <T>(name: string, call: Call, effect: () => T, more?: AskedFor) => Promise<T>;

const CREATE_TIMEOUT_MS = 60_000;
const CALL_TIMEOUT_MS = 20_000;
const DROUGHT_MS = [20_000, 120_000] as const;

/** One cloud that all projects use: it is slow, runs dry, throttles, fails, loses requests and answers, and takes machines away. */
export class SimulatedCloud {
  readonly machines: CloudMachines;
  readonly creates = new CreateCalls();
  readonly disks: SimulatedDisks;
  private readonly dryUntil = new Map<string, number>();
  private validKey = 'first';

  constructor(
    readonly type: InternalBackendType,
    readonly kind: MachineKind,
    readonly idempotency: Idempotency,
    private readonly around: Surroundings,
    owner: string,
    /** How long a create call may be under way when it is late; as other calls unless said. */
    private readonly createLateMs: readonly [number, number] | null = null,
    /** Whether it sells machines that are made by one call. */
    readonly makesGroups = false,
  ) {
    this.machines = new CloudMachines({ type, kind, idempotency, around, owner });
    this.disks = new SimulatedDisks({
      name: type,
      idempotency,
      around,
      livingMachine: ({ machineId, cloudName }) =>
        this.machines.living.find((each) => (machineId === null ? each.cloudName === cloudName : each.id === machineId))
          ?.id ?? null,
    });
  }

  agentAt(socketPath: string): SimulatedAgent | null {
    return this.machines.all.get(socketPath)?.agent ?? null;
  }

  /** The owner of the account makes another key; the old one is worth nothing from now on. */
  renewKey(): string {
    this.validKey = `key-${this.around.random.whole(1, 1_000_000)}`;
    this.around.story.tell(`${this.type}: the key is replaced`);
    return this.validKey;
  }

  get key(): string {
    return this.validKey;
  }

  /** The cloud as one life of a server sees it, with what a project has configured. */
  for(server: ServerEpoch, account: CloudAccount): Compute {
    const ask: Ask = <T>(name: string, call: Call, effect: () => T, more: AskedFor = {}): Promise<T> => {
      const { timeoutMs = CALL_TIMEOUT_MS, onTrouble, lateMs } = more;
      return this.around.network.send({
        name: `${this.type}: ${name}`,
        server,
        signal: call.signal,
        travelMs: [20, 400],
        answerMs: [20, 1_500],
        timeoutMs: () => Math.min(timeoutMs, call.deadline - server.world.clock.now()),
        onTimeout: (what) => new BackendError({ kind: 'outage', blocks: 'offer' }, what),
        isPassedOn: true,
        isRepeatable: this.idempotency.kind !== 'lookup' || !name.startsWith('create'),
        effect: () => this.answer(name, account, effect, onTrouble),
        ...(onTrouble === undefined ? {} : { onTrouble }),
        ...(lateMs === undefined ? {} : { lateMs }),
      });
    };
    const create = (attempt: Attempt, size: number | null, call: Call): Promise<MachineState> => {
      const more = { timeoutMs: CREATE_TIMEOUT_MS, onTrouble: this.creates.begin() };
      const late = this.createLateMs === null ? {} : { lateMs: this.createLateMs };
      return ask(`create ${attempt.cloudName}`, call, () => this.create(attempt, size), { ...more, ...late });
    };
    return {
      offers: (_query, call) => ask('offers', call, () => this.offers(account)),
      create: (attempt, call) => create(attempt, null, call),
      get: (ref, call) => ask(`get ${ref.cloudName}`, call, () => this.machines.get(ref)),
      list: (owner, call) => ask('list', call, () => this.machines.list(owner)),
      terminate: (ref, call) => ask(`terminate ${ref.cloudName}`, call, () => this.machines.terminate(ref)),
      ...(this.kind === 'hosts' ? { volumes: this.disks.for(ask) } : {}),
      ...(this.makesGroups ? { groups: { create, member: memberOf } } : {}),
      ...(this.kind === 'hosts' ? { gateways: this.gateways(ask) } : {}),
    };
  }

  private gateways(ask: Ask): GatewaySupport {
    return {
      createReplica: (attempt, call) => {
        const more = { timeoutMs: CREATE_TIMEOUT_MS, onTrouble: this.creates.begin() };
        return ask(`create ${attempt.cloudName}`, call, () => this.createForGateway(attempt), more);
      },
      terminateReplica: (ref, call) => ask(`terminate ${ref.cloudName}`, call, () => this.machines.terminate(ref)),
    };
  }

  /** What the front of the cloud makes of a request before, or instead of, doing what it asks. */
  private answer<T>(name: string, account: CloudAccount, effect: () => T, onTrouble: () => void = () => undefined): T {
    const { random, faults, time } = this.around;
    if (account.creds.key !== this.validKey)
      throw this.failure(name, { kind: 'credentials', blocks: 'account' }, 'the key is not valid');
    if (random.chance(faults.throttled)) {
      onTrouble();
      const retryAt = time.now() + random.between(1_000, 30_000);
      throw this.failure(name, { kind: 'throttled', blocks: 'offer', retryAt }, 'too many requests');
    }
    if (!random.chance(faults.cloudError)) return effect();
    onTrouble();
    if (random.chance(0.5)) effect();
    throw this.failure(name, { kind: 'outage', blocks: 'offer' }, 'internal error');
  }

  private failure(name: string, failure: Failure, text: string): BackendError {
    this.around.story.tell(`${this.type}: ${name} fails: ${text}`);
    return new BackendError(failure, text);
  }

  private offers({ regions }: CloudAccount): Offer[] {
    return cloudOffers(this.type, this.kind, regions, this.makesGroups);
  }

  private create(attempt: Attempt, size: number | null): MachineState {
    const { machines } = this;
    const known = machines.repeated(attempt);
    if (known !== undefined)
      return machines.stateOf(known.group === null ? known : machines.firstOf(known.group.id, known));
    this.refuseForCapacity(attempt);
    this.checkSize(attempt, size);
    return machines.stateOf(size === null ? machines.boot(attempt, null) : machines.bootTogether(attempt, size));
  }

  private createForGateway(attempt: Attempt): MachineState {
    const known = this.machines.repeated(attempt);
    if (known !== undefined) return this.machines.stateOf(known);
    this.refuseForCapacity(attempt);
    return this.machines.stateOf(this.machines.boot(attempt, null, true));
  }

  private checkSize({ cloudName, offer }: Attempt, size: number | null): void {
    const { min, max } = offer.group_nodes ?? {};
    const isFit = size === null ? offer.group_nodes === undefined : size >= (min ?? Infinity) && size <= (max ?? 0);
    if (!isFit)
      this.around.story.violate(`${this.type}: ${cloudName} is to be ${size ?? 'one'} of ${offer.instance.name}`);
  }

  private refuseForCapacity({ cloudName, offer: { region } }: Attempt): void {
    const { random, faults, time } = this.around;
    const fail = (failure: Failure, text: string): never => {
      throw this.failure(`create ${cloudName}`, failure, text);
    };
    if (time.now() < (this.dryUntil.get(region) ?? 0))
      fail({ kind: 'no-capacity', blocks: 'region' }, `no capacity in ${region}`);
    if (!random.chance(faults.noCapacity)) return;
    const blocks = random.pick(['offer', 'offer', 'zone', 'zone', 'region', 'quota'] as const);
    if (blocks === 'quota') fail({ kind: 'quota', blocks: 'region' }, `the quota of ${region} is used up`);
    else {
      if (blocks === 'region') this.dryUntil.set(region, time.now() + random.between(...DROUGHT_MS));
      fail({ kind: 'no-capacity', blocks }, `no capacity (${blocks})`);
    }
  }
}
