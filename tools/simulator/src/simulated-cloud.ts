import {
  type Attempt,
  BackendError,
  type Compute,
  type Idempotency,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import type { Faults } from './faults.js';
import type { RandomSource } from './random-source.js';
import type { ServerEpoch } from './server-epoch.js';
import { SimulatedAgent } from './simulated-agent.js';
import type { SpoolWatch } from './simulated-job.js';
import type { Story } from './story.js';
import type { VirtualTime } from './virtual-time.js';

export interface Machine {
  readonly id: string;
  readonly cloudName: string;
  readonly owner: string;
  readonly token: string | null;
  readonly region: string;
  readonly createdAt: number;
  readonly readyAt: number;
  isAlive: boolean;
  terminationAskedAt: number | null;
  readonly terminationMs: number;
  readonly agent: SimulatedAgent;
}

const REGIONS = ['north', 'south', 'east'];
const TYPES = [
  { name: 'small', cpus: 2, memoryMib: 8_192, price: 0.1 },
  { name: 'large', cpus: 8, memoryMib: 32_768, price: 0.5 },
];

/** One cloud with an account shared by all projects: it is slow, runs dry, loses requests and answers, and forgets machines. */
export class SimulatedCloud {
  readonly machines = new Map<string, Machine>();
  private nextId = 1;

  constructor(
    readonly idempotency: Idempotency,
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly faults: Faults,
    private readonly story: Story,
    private readonly owner: string,
    private readonly spools: SpoolWatch,
  ) {
    this.addForeignMachine();
  }

  get living(): Machine[] {
    return [...this.machines.values()].filter((machine) => machine.isAlive);
  }

  agentAt(socketPath: string): SimulatedAgent | null {
    return this.machines.get(socketPath)?.agent ?? null;
  }

  /** The cloud as one life of the server sees it. */
  for(epoch: ServerEpoch): Compute {
    const ask = <T>(name: string, effect: () => T): Promise<T> => this.ask(epoch, name, effect);
    return {
      offers: () => ask('offers', () => offers()),
      create: (attempt, call) => {
        call.signal.throwIfAborted();
        return ask(`create ${attempt.cloudName}`, () => this.create(attempt));
      },
      get: (ref) => ask(`get ${ref.cloudName}`, () => this.get(ref)),
      list: (owner) => ask('list', () => this.list(owner)),
      terminate: (ref) => ask(`terminate ${ref.cloudName}`, () => this.terminate(ref)),
    };
  }

  private async ask<T>(epoch: ServerEpoch, name: string, effect: () => T): Promise<T> {
    await epoch.pass(`before ${name}`);
    await epoch.sleep(this.random.between(20, 400));
    if (this.random.chance(this.faults.lostRequest)) return this.silence(epoch, `${name}: the request is lost`);
    const result = effect();
    await epoch.pass(`between ${name} and its answer`);
    if (this.random.chance(this.faults.lostReply)) return this.silence(epoch, `${name}: the answer is lost`);
    await epoch.sleep(this.random.between(20, 1_500));
    await epoch.pass(`after ${name}`);
    return result;
  }

  private async silence(epoch: ServerEpoch, text: string): Promise<never> {
    this.story.tell(`cloud: ${text}`);
    await epoch.sleep(this.random.between(1_000, 20_000));
    throw new BackendError({ kind: 'outage', blocks: 'offer' }, `no answer: ${text}`);
  }

  private create(attempt: Attempt): MachineState {
    const known = this.repeated(attempt);
    if (known !== undefined) return this.stateOf(known);
    if (this.random.chance(this.faults.noCapacity)) {
      this.story.tell(`cloud: no capacity for ${attempt.cloudName}`);
      throw new BackendError({ kind: 'no-capacity', blocks: 'offer' }, 'no capacity');
    }
    return this.stateOf(this.boot(attempt));
  }

  private repeated({ token, cloudName }: Attempt): Machine | undefined {
    if (this.idempotency.kind === 'lookup') return undefined;
    return [...this.machines.values()].find((machine) =>
      this.idempotency.kind === 'token' ? machine.token === token : machine.isAlive && machine.cloudName === cloudName,
    );
  }

  private boot({ token, cloudName, owner, offer }: Attempt): Machine {
    const id = `m-${this.nextId++}`;
    const now = this.time.now();
    const bootMs = this.random.chance(this.faults.neverReady) ? Infinity : this.random.between(2_000, 60_000);
    const machine: Machine = {
      id,
      cloudName,
      owner,
      token: this.idempotency.kind === 'token' ? token : null,
      region: offer.region,
      createdAt: now,
      readyAt: now + bootMs,
      isAlive: true,
      terminationAskedAt: null,
      terminationMs: this.random.chance(this.faults.slowTermination) ? this.random.between(5_000, 60_000) : 0,
      agent: new SimulatedAgent(id, this.time, this.random, this.faults, this.story, this.spools),
    };
    this.machines.set(id, machine);
    this.story.tell(`cloud: ${id} is created as ${cloudName}`);
    if (Number.isFinite(bootMs)) this.time.after(bootMs + this.random.between(0, 10_000), () => this.bringUp(machine));
    if (this.random.chance(this.faults.vanish)) {
      this.time.after(this.random.between(1_000, 600_000), () => this.end(machine, 'vanishes'));
    }
    return machine;
  }

  private bringUp(machine: Machine): void {
    if (machine.isAlive) machine.agent.start();
  }

  private end(machine: Machine, how: string): void {
    if (!machine.isAlive) return;
    machine.isAlive = false;
    machine.agent.destroy();
    this.story.tell(`cloud: ${machine.id} ${how}`);
  }

  private get(ref: MachineRef): MachineState {
    const machine = this.find(ref).at(0);
    return machine === undefined ? { state: 'gone' } : this.stateOf(machine);
  }

  private stateOf(machine: Machine): MachineState {
    if (!machine.isAlive) return { state: 'gone' };
    const ref: MachineRef = {
      cloudName: machine.cloudName,
      machineId: machine.id,
      region: machine.region,
      zone: null,
      backendData: null,
    };
    if (this.time.now() < machine.readyAt) return { state: 'pending', ref };
    const agent = { via: 'unix', socketPath: machine.id } as const;
    return { state: 'ready', ref, agent, hostname: machine.id, internalIp: null };
  }

  private list(owner: string): ListedMachine[] {
    return this.living
      .filter((machine) => machine.owner === owner && this.isListed(machine))
      .map(({ id, cloudName, token, region, createdAt }) => ({
        ref: { cloudName, machineId: id, region, zone: null, backendData: null },
        owner,
        token,
        createdAt,
      }));
  }

  private terminate(ref: MachineRef): Termination {
    let result: Termination = 'done';
    for (const machine of this.find(ref)) {
      if (machine.owner !== this.owner) {
        this.story.violate(`the server asked to terminate ${machine.id}, which belongs to ${machine.owner}`);
        continue;
      }
      machine.terminationAskedAt ??= this.time.now();
      if (this.time.now() >= machine.terminationAskedAt + machine.terminationMs) this.end(machine, 'is terminated');
      else result = 'pending';
    }
    return result;
  }

  /** By its id where it is known; else by name, as far as the cloud's list has caught up. */
  private find({ machineId, cloudName }: MachineRef): Machine[] {
    return this.living.filter((machine) =>
      machineId === null ? machine.cloudName === cloudName && this.isListed(machine) : machine.id === machineId,
    );
  }

  private isListed(machine: Machine): boolean {
    const lagMs = this.idempotency.kind === 'lookup' ? this.idempotency.listLagMs : 0;
    return this.time.now() >= machine.createdAt + lagMs * 0.9;
  }

  private addForeignMachine(): void {
    const now = this.time.now();
    this.machines.set('foreign', {
      id: 'foreign',
      cloudName: 'somebody-elses',
      owner: 'somebody-else',
      token: null,
      region: 'north',
      createdAt: now,
      readyAt: now,
      isAlive: true,
      terminationAskedAt: null,
      terminationMs: 0,
      agent: new SimulatedAgent('foreign', this.time, this.random, this.faults, this.story, this.spools),
    });
  }
}

function offers(): Offer[] {
  return REGIONS.flatMap((region, index) =>
    TYPES.map(({ name, cpus, memoryMib, price }): Offer => ({
      backend: 'aws',
      instance: {
        name,
        resources: {
          cpus,
          memory_mib: memoryMib,
          gpus: [],
          spot: false,
          disk: { size_mib: 102_400 },
          cpu_arch: 'x86',
          description: '',
        },
      },
      region,
      price: price * (1 + index / 10),
      availability: 'available',
      availability_zones: null,
      instance_runtime: 'shim',
      blocks: 1,
      total_blocks: 1,
    })),
  );
}
