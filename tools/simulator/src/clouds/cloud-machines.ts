import type { Attempt, Idempotency, ListedMachine, MachineRef, MachineState, Termination } from '@dstack/backend-base';
import type { InternalBackendType, MachineKind } from '@dstack/core';
import { SimulatedAgent } from '../hosts/simulated-agent.js';
import type { Surroundings } from '../surroundings.js';
import { type CloudMachine, memberOf, rankIn, refOf, stateOf } from './cloud-machine.js';

interface Site {
  readonly type: InternalBackendType;
  readonly kind: MachineKind;
  readonly idempotency: Idempotency;
  readonly around: Surroundings;
  /** Whose machines those of the servers are. */
  readonly owner: string;
}

/** The machines that a cloud has made, alone and in groups: they come up or do not, vanish, are taken back and end. */
export class CloudMachines {
  readonly all = new Map<string, CloudMachine>();
  /** Moves with every change. */
  version = 0;

  constructor(private readonly site: Site) {
    this.addForeignMachine();
  }

  /** All but somebody else's. */
  get living(): CloudMachine[] {
    return [...this.all.values()].filter((machine) => machine.isAlive && machine.owner === this.site.owner);
  }

  /** What an earlier call of the same attempt has made; a cloud that knows neither tokens nor names makes another one. */
  repeated({ token, cloudName }: Attempt): CloudMachine | undefined {
    if (this.site.idempotency.kind === 'lookup') return undefined;
    return [...this.all.values()].find((machine) =>
      this.site.idempotency.kind === 'token'
        ? machine.token === token
        : machine.isAlive && machine.cloudName === cloudName,
    );
  }

  boot(
    { token, cloudName, owner, offer, zone, container }: Attempt,
    group: CloudMachine['group'],
    isForGateway = false,
  ): CloudMachine {
    const { random, faults, time, story } = this.site.around;
    if ((container === null) !== (this.site.kind === 'hosts'))
      story.violate(
        `${this.site.type}: ${cloudName} is to be one of its ${this.site.kind}, and is not described as such`,
      );
    const id = group === null || group.rank === 0 ? `${this.site.type}-${this.all.size}` : `${group.id}/${group.rank}`;
    const now = time.now();
    const bootMs = random.chance(faults.neverReady) ? Infinity : random.between(2_000, 60_000);
    const machine: CloudMachine = {
      id,
      cloudName,
      owner,
      token: this.site.idempotency.kind === 'token' ? token : null,
      region: offer.region,
      zone,
      createdAt: now,
      readyAt: now + bootMs,
      fails: random.chance(faults.bootFailure),
      isAlive: true,
      terminationAskedAt: null,
      terminationMs: random.chance(faults.slowTermination) ? random.between(5_000, 60_000) : 0,
      agent: new SimulatedAgent(id, this.site.around, this.site.kind),
      isForGateway,
      group,
    };
    this.all.set(id, machine);
    this.version += 1;
    story.tell(`${this.site.type}: ${id} is created as ${cloudName}`);
    if (Number.isFinite(bootMs)) time.after(bootMs + random.between(0, 10_000), () => this.bringUp(machine));
    if (random.chance(faults.vanish)) time.after(random.between(1_000, 600_000), () => this.end(machine, 'vanishes'));
    if (offer.instance.resources.spot && random.chance(faults.spotInterruption))
      time.after(random.between(10_000, 300_000), () => this.takeBack(machine));
    return machine;
  }

  /** Each is a machine of its own, which may be lost alone; they are made, listed and terminated as one. */
  bootTogether(attempt: Attempt, size: number): CloudMachine {
    const groupId = `${this.site.type}-${this.all.size}`;
    const first = this.boot(attempt, { id: groupId, rank: 0 });
    for (let rank = 1; rank < size; rank += 1) this.boot(attempt, { id: groupId, rank });
    return first;
  }

  get(ref: MachineRef): MachineState {
    const living = this.find(ref);
    const machine = living.find(({ group }) => (group?.rank ?? 0) === rankIn(ref));
    if (machine !== undefined) return this.stateOf(machine);
    return living.length === 0 ? { state: 'gone' } : lost(ref);
  }

  stateOf(machine: CloudMachine): MachineState {
    const state = stateOf(machine, this.site.around.time.now(), this.site.around.addressOf);
    const isGroupThere = machine.group !== null && this.membersOf(machine.group.id).some(({ isAlive }) => isAlive);
    return state.state === 'gone' && isGroupThere ? lost(refOf(machine)) : state;
  }

  list(owner: string): ListedMachine[] {
    return [...this.all.values()]
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

  terminate(ref: MachineRef): Termination {
    const now = this.site.around.time.now();
    let result: Termination = 'done';
    for (const machine of this.find(ref)) {
      if (machine.owner !== this.site.owner) {
        this.site.around.story.violate(
          `the server asked to terminate ${machine.id}, which belongs to ${machine.owner}`,
        );
        continue;
      }
      machine.terminationAskedAt ??= now;
      if (now >= machine.terminationAskedAt + machine.terminationMs) this.end(machine, 'is terminated');
      else result = 'pending';
    }
    return result;
  }

  firstOf(groupId: string, otherwise: CloudMachine): CloudMachine {
    return this.membersOf(groupId).find((machine) => machine.group?.rank === 0) ?? otherwise;
  }

  private membersOf(groupId: string): CloudMachine[] {
    return [...this.all.values()].filter(({ group }) => group?.id === groupId);
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
    this.site.around.story.tell(`${this.site.type}: ${machine.id} ${how}`);
  }

  /** By its id where it is known; else by name, as far as the cloud's list has caught up. */
  private find({ machineId, cloudName }: MachineRef): CloudMachine[] {
    return [...this.all.values()].filter(
      (machine) =>
        machine.isAlive &&
        (machineId === null
          ? machine.cloudName === cloudName && this.isListed(machine)
          : (machine.group?.id ?? machine.id) === machineId),
    );
  }

  private isListed(machine: CloudMachine): boolean {
    const lagMs = this.site.idempotency.kind === 'lookup' ? this.site.idempotency.listLagMs : 0;
    return this.site.around.time.now() >= machine.createdAt + lagMs * 0.9;
  }

  private addForeignMachine(): void {
    const id = `${this.site.type}-foreign`;
    this.all.set(id, {
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
      agent: new SimulatedAgent(id, this.site.around),
      isForGateway: false,
      group: null,
    });
  }
}

/** One of a group whose others are there: they are given back with it. */
function lost(ref: MachineRef): MachineState {
  return { state: 'failed', ref, message: 'the machine is lost' };
}
