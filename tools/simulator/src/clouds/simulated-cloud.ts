import {
  type Attempt,
  BackendError,
  type Call,
  type Compute,
  type Failure,
  type GatewaySupport,
  type Idempotency,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { InternalBackendType, MachineKind, Offer } from '@dstack/core';
import { SimulatedAgent } from '../hosts/simulated-agent.js';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { Surroundings } from '../surroundings.js';
import { SimulatedDisks } from './simulated-disks.js';
import { type CloudMachine, memberOf, rankIn, refOf, stateOf } from './cloud-machine.js';
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
  readonly machines = new Map<string, CloudMachine>();
  /** Moves with every change of the machines. */
  version = 0;
  readonly creates = new CreateCalls();
  readonly disks: SimulatedDisks;
  private readonly dryUntil = new Map<string, number>();
  private validKey = 'first';

  constructor(
    readonly type: InternalBackendType,
    readonly kind: MachineKind,
    readonly idempotency: Idempotency,
    private readonly around: Surroundings,
    private readonly owner: string,
    /** How long a create call may be under way when it is late; as other calls unless said. */
    private readonly createLateMs: readonly [number, number] | null = null,
    /** Whether it sells machines that are made by one call. */
    readonly makesGroups = false,
  ) {
    this.disks = new SimulatedDisks({
      name: type,
      idempotency,
      around,
      livingMachine: ({ machineId, cloudName }) =>
        this.living.find((each) => (machineId === null ? each.cloudName === cloudName : each.id === machineId))?.id ??
        null,
    });
    this.addForeignMachine();
  }

  /** All but somebody else's. */
  get living(): CloudMachine[] {
    return [...this.machines.values()].filter((machine) => machine.isAlive && machine.owner === this.owner);
  }

  agentAt(socketPath: string): SimulatedAgent | null {
    return this.machines.get(socketPath)?.agent ?? null;
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
      get: (ref, call) => ask(`get ${ref.cloudName}`, call, () => this.get(ref)),
      list: (owner, call) => ask('list', call, () => this.list(owner)),
      terminate: (ref, call) => ask(`terminate ${ref.cloudName}`, call, () => this.terminate(ref)),
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
      terminateReplica: (ref, call) => ask(`terminate ${ref.cloudName}`, call, () => this.terminate(ref)),
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
    const known = this.repeated(attempt);
    if (known !== undefined) return this.stateOf(known.group === null ? known : this.firstOf(known.group.id, known));
    this.refuseForCapacity(attempt);
    this.checkSize(attempt, size);
    return this.stateOf(size === null ? this.boot(attempt, null) : this.bootTogether(attempt, size));
  }

  private createForGateway(attempt: Attempt): MachineState {
    const known = this.repeated(attempt);
    if (known !== undefined) return this.stateOf(known);
    this.refuseForCapacity(attempt);
    return this.stateOf(this.boot(attempt, null, true));
  }

  private checkSize({ cloudName, offer }: Attempt, size: number | null): void {
    const { min, max } = offer.group_nodes ?? {};
    const isFit = size === null ? offer.group_nodes === undefined : size >= (min ?? Infinity) && size <= (max ?? 0);
    if (!isFit)
      this.around.story.violate(`${this.type}: ${cloudName} is to be ${size ?? 'one'} of ${offer.instance.name}`);
  }

  /** Each is a machine of its own, which may be lost alone; they are made, listed and terminated as one. */
  private bootTogether(attempt: Attempt, size: number): CloudMachine {
    const groupId = `${this.type}-${this.machines.size}`;
    const first = this.boot(attempt, { id: groupId, rank: 0 });
    for (let rank = 1; rank < size; rank += 1) this.boot(attempt, { id: groupId, rank });
    return first;
  }

  private firstOf(groupId: string, otherwise: CloudMachine): CloudMachine {
    return this.membersOf(groupId).find((machine) => machine.group?.rank === 0) ?? otherwise;
  }

  private membersOf(groupId: string): CloudMachine[] {
    return [...this.machines.values()].filter(({ group }) => group?.id === groupId);
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

  private repeated({ token, cloudName }: Attempt): CloudMachine | undefined {
    if (this.idempotency.kind === 'lookup') return undefined;
    return [...this.machines.values()].find((machine) =>
      this.idempotency.kind === 'token' ? machine.token === token : machine.isAlive && machine.cloudName === cloudName,
    );
  }

  private boot(
    { token, cloudName, owner, offer, zone, container }: Attempt,
    group: CloudMachine['group'],
    isForGateway = false,
  ): CloudMachine {
    const { random, faults, time, story } = this.around;
    if ((container === null) !== (this.kind === 'hosts'))
      story.violate(`${this.type}: ${cloudName} is to be one of its ${this.kind}, and is not described as such`);
    const id = group === null || group.rank === 0 ? `${this.type}-${this.machines.size}` : `${group.id}/${group.rank}`;
    const now = time.now();
    const bootMs = random.chance(faults.neverReady) ? Infinity : random.between(2_000, 60_000);
    const machine: CloudMachine = {
      id,
      cloudName,
      owner,
      token: this.idempotency.kind === 'token' ? token : null,
      region: offer.region,
      zone,
      createdAt: now,
      readyAt: now + bootMs,
      fails: random.chance(faults.bootFailure),
      isAlive: true,
      terminationAskedAt: null,
      terminationMs: random.chance(faults.slowTermination) ? random.between(5_000, 60_000) : 0,
      agent: new SimulatedAgent(id, this.around, this.kind),
      isForGateway,
      group,
    };
    this.machines.set(id, machine);
    this.version += 1;
    story.tell(`${this.type}: ${id} is created as ${cloudName}`);
    if (Number.isFinite(bootMs)) time.after(bootMs + random.between(0, 10_000), () => this.bringUp(machine));
    if (random.chance(faults.vanish)) time.after(random.between(1_000, 600_000), () => this.end(machine, 'vanishes'));
    if (offer.instance.resources.spot && random.chance(faults.spotInterruption))
      time.after(random.between(10_000, 300_000), () => this.takeBack(machine));
    return machine;
  }

  private bringUp(machine: CloudMachine): void {
    if (machine.isAlive && !machine.fails && !machine.isForGateway) machine.agent.start();
  }

  /** Those that are made together are taken back together. */
  private takeBack(machine: CloudMachine): void {
    for (const each of machine.group === null ? [machine] : this.membersOf(machine.group.id))
      this.end(each, 'is taken back: somebody pays more');
  }

  private end(machine: CloudMachine, how: string): void {
    if (!machine.isAlive) return;
    machine.isAlive = false;
    this.version += 1;
    machine.agent.destroy();
    this.around.story.tell(`${this.type}: ${machine.id} ${how}`);
  }

  private get(ref: MachineRef): MachineState {
    const living = this.find(ref);
    const machine = living.find(({ group }) => (group?.rank ?? 0) === rankIn(ref));
    if (machine !== undefined) return this.stateOf(machine);
    return living.length === 0 ? { state: 'gone' } : lost(ref);
  }

  private stateOf(machine: CloudMachine): MachineState {
    const state = stateOf(machine, this.around.time.now(), this.around.addressOf);
    const isGroupThere = machine.group !== null && this.membersOf(machine.group.id).some(({ isAlive }) => isAlive);
    return state.state === 'gone' && isGroupThere ? lost(refOf(machine)) : state;
  }

  private list(owner: string): ListedMachine[] {
    return [...this.machines.values()]
      .filter((machine) => machine.isAlive && machine.owner === owner && this.isListed(machine))
      .filter(
        ({ group }, index, all) => group === null || all.findIndex((each) => each.group?.id === group.id) === index,
      )
      .map((machine) => ({
        ref: memberOf(refOf(machine), 0),
        owner,
        token: machine.token,
        createdAt: machine.createdAt,
      }));
  }

  private terminate(ref: MachineRef): Termination {
    const now = this.around.time.now();
    let result: Termination = 'done';
    for (const machine of this.find(ref)) {
      if (machine.owner !== this.owner) {
        this.around.story.violate(`the server asked to terminate ${machine.id}, which belongs to ${machine.owner}`);
        continue;
      }
      machine.terminationAskedAt ??= now;
      if (now >= machine.terminationAskedAt + machine.terminationMs) this.end(machine, 'is terminated');
      else result = 'pending';
    }
    return result;
  }

  /** By its id where it is known; else by name, as far as the cloud's list has caught up. */
  private find({ machineId, cloudName }: MachineRef): CloudMachine[] {
    return [...this.machines.values()].filter(
      (machine) =>
        machine.isAlive &&
        (machineId === null
          ? machine.cloudName === cloudName && this.isListed(machine)
          : (machine.group?.id ?? machine.id) === machineId),
    );
  }

  private isListed(machine: CloudMachine): boolean {
    const lagMs = this.idempotency.kind === 'lookup' ? this.idempotency.listLagMs : 0;
    return this.around.time.now() >= machine.createdAt + lagMs * 0.9;
  }

  private addForeignMachine(): void {
    const id = `${this.type}-foreign`;
    this.machines.set(id, {
      id,
      cloudName: 'somebody-elses',
      owner: 'somebody-else',
      token: null,
      region: 'north',
      zone: null,
      createdAt: 0,
      readyAt: 0,
      fails: false,
      isAlive: true,
      terminationAskedAt: null,
      terminationMs: 0,
      agent: new SimulatedAgent(id, this.around),
      isForGateway: false,
      group: null,
    });
  }
}

/** One of a group whose others are there: they are given back with it. */
function lost(ref: MachineRef): MachineState {
  return { state: 'failed', ref, message: 'the machine is lost' };
}
