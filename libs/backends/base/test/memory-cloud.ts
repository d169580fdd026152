import { setTimeout as sleep } from 'node:timers/promises';
import type { Offer } from '@dstack/core';
import { type ComputeOverAWire, testContainer } from '../src/conformance/index.js';
import {
  BackendError,
  callSignal,
  type Capabilities,
  CONTAINER_AGENT_SOCKET,
  NO_CAPABILITIES,
  type Attempt,
  type Call,
  type Compute,
  type Idempotency,
  type ListedMachine,
  type MachineRef,
  type MachineState,
} from '../src/index.js';

interface Machine {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly token: string;
  readonly listedFrom: number;
  readyFrom: number;
}

/** A backend over a cloud in memory, correct in each of the three ways a create can be made safe. */
export class MemoryCompute implements Compute {
  readonly machines = new Map<string, Machine>();
  capacity = 5;
  loseNextReply = false;
  protected nextId = 1;

  constructor(protected readonly idempotency: Idempotency) {}

  async offers(_query: unknown, call: Call): Promise<Offer[]> {
    callSignal(call);
    return [memoryOffer()];
  }

  async create(attempt: Attempt, call: Call): Promise<MachineState> {
    callSignal(call);
    const existing = this.find(attempt);
    const machine = existing ?? this.launch(attempt);
    if (this.loseNextReply) {
      this.loseNextReply = false;
      throw new BackendError({ kind: 'outage', blocks: 'offer' }, 'connection reset');
    }
    return this.state(machine);
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    callSignal(call);
    const machine = this.byRef(ref);
    return machine === undefined ? { state: 'gone' } : this.state(machine);
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    callSignal(call);
    return [...this.machines.values()]
      .filter((machine) => machine.owner === owner && machine.listedFrom <= Date.now())
      .map((machine) => ({ ref: this.ref(machine), owner, token: machine.token, createdAt: null }));
  }

  async terminate(ref: MachineRef, call: Call): Promise<'done' | 'pending'> {
    callSignal(call);
    const machine = this.byRef(ref);
    if (machine !== undefined) this.machines.delete(machine.id);
    return 'done';
  }

  protected find(attempt: Attempt): Machine | undefined {
    // With `lookup` the memory of a real backend is its list; the cloud here is consistent within one process.
    return [...this.machines.values()].find((machine) =>
      this.idempotency.kind === 'token' ? machine.token === attempt.token : machine.name === attempt.cloudName,
    );
  }

  protected launch(attempt: Attempt): Machine {
    if (this.machines.size >= this.capacity) {
      throw new BackendError({ kind: 'no-capacity', blocks: 'region' }, 'Out of stock');
    }
    const lagMs = this.idempotency.kind === 'lookup' ? this.idempotency.listLagMs : 0;
    const { cloudName: name, owner, token } = attempt;
    const id = `m-${this.nextId++}`;
    const machine = {
      id,
      name,
      owner,
      token,
      listedFrom: Date.now() + (this.loseNextReply ? lagMs : 0),
      readyFrom: Date.now() + 30,
    };
    this.machines.set(id, machine);
    return machine;
  }

  protected byRef(ref: MachineRef): Machine | undefined {
    const all = [...this.machines.values()];
    return all.find((machine) =>
      ref.machineId === null ? machine.name === ref.cloudName : machine.id === ref.machineId,
    );
  }

  protected ref(machine: Machine): MachineRef {
    return { cloudName: machine.name, machineId: machine.id, region: 'r', zone: null, backendData: null };
  }

  private state(machine: Machine): MachineState {
    const ref = this.ref(machine);
    if (Date.now() < machine.readyFrom) return { state: 'pending', ref };
    const agent = {
      via: 'ssh',
      host: '192.0.2.1',
      port: 22,
      user: 'root',
      hostKey: null,
      socketPath: CONTAINER_AGENT_SOCKET,
      jump: null,
    } as const;
    return { state: 'ready', ref, agent, hostname: '192.0.2.1', internalIp: null };
  }
}

export function memoryOffer(): Offer {
  const resources = { cpus: 4, memory_mib: 16_384, gpus: [], spot: false, disk: { size_mib: 102_400 } };
  return {
    backend: 'lambda',
    instance: { name: 't', resources },
    region: 'r',
    price: 1,
    availability: 'unknown',
    instance_runtime: 'shim',
  };
}

export function memoryWorld(
  compute: MemoryCompute,
  idempotency: Idempotency,
  kind: Capabilities['kind'] = 'hosts',
): ComputeOverAWire {
  let count = 0;
  return {
    definition: {
      type: 'lambda',
      capabilities: { ...NO_CAPABILITIES, kind, runtimes: ['container'] },
      idempotency,
    },
    compute,
    owner: 'me',
    settleMs: 500,
    async attempt() {
      count += 1;
      return {
        token: `token-${count}`,
        cloudName: `name-${count}`,
        owner: 'me',
        project: 'main',
        user: 'admin',
        instanceName: 'f-0',
        offer: memoryOffer(),
        zone: null,
        reservation: null,
        tags: {},
        authorizedKeys: [],
        volumeIds: [],
        placementGroup: null,
        userData: null,
        container: kind === 'containers' ? testContainer() : null,
      };
    },
    async exhaust() {
      compute.capacity = compute.machines.size;
      await sleep(0);
    },
    loseNextCreateReply() {
      compute.loseNextReply = true;
    },
    async close() {
      compute.machines.clear();
    },
  };
}
