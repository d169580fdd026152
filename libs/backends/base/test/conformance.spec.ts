import { COMPUTE_CASES, describeComputeOverAWire, WIRE_CASES } from '../src/conformance/index.js';
import {
  BackendError,
  type Attempt,
  type Call,
  type Idempotency,
  type MachineRef,
  type MachineState,
} from '../src/index.js';
import { MemoryCompute, memoryOffer, memoryWorld } from './memory-cloud.js';

const WAYS: readonly Idempotency[] = [{ kind: 'token' }, { kind: 'name' }, { kind: 'lookup', listLagMs: 40 }];

describe.each(WAYS)('a correct backend with $kind', (idempotency) => {
  describeComputeOverAWire('memory', async () => memoryWorld(new MemoryCompute(idempotency), idempotency));
});

class Containers extends MemoryCompute {
  override async offers() {
    return [{ ...memoryOffer(), instance_runtime: 'runner' as const }];
  }
}

describe('a correct backend of containers', () => {
  const idempotency = { kind: 'name' } as const;
  describeComputeOverAWire('memory', async () => memoryWorld(new Containers(idempotency), idempotency, 'containers'));
});

class ForgetsTokens extends MemoryCompute {
  protected override find() {
    return undefined;
  }
}

class IgnoresAborts extends MemoryCompute {
  override create(attempt: Attempt, call: Call): Promise<MachineState> {
    return super.create(attempt, { signal: new AbortController().signal, deadline: call.deadline });
  }
}

class IgnoresDeadlines extends MemoryCompute {
  override create(attempt: Attempt, call: Call): Promise<MachineState> {
    return super.create(attempt, { signal: call.signal, deadline: Infinity });
  }
}

class ListsEverybody extends MemoryCompute {
  override list(_owner: string, call: Call) {
    return super.list('me', call);
  }
}

class FailsOnUnknown extends MemoryCompute {
  override async terminate(ref: MachineRef, call: Call) {
    if (this.byRef(ref) === undefined)
      throw new BackendError({ kind: 'not-found', blocks: 'offer' }, 'no such machine');
    return super.terminate(ref, call);
  }
}

class NeverTerminates extends MemoryCompute {
  override async terminate() {
    return 'done' as const;
  }
}

class LeaksWhenFull extends MemoryCompute {
  protected override launch(attempt: Attempt) {
    if (this.machines.size < this.capacity) return super.launch(attempt);
    this.capacity += 1;
    super.launch(attempt);
    throw new BackendError({ kind: 'no-capacity', blocks: 'region' }, 'Out of stock');
  }
}

class CallsStockOutAnOutage extends MemoryCompute {
  protected override launch(attempt: Attempt) {
    if (this.machines.size < this.capacity) return super.launch(attempt);
    throw new BackendError({ kind: 'outage', blocks: 'offer' }, 'Out of stock');
  }
}

class SharesItsOffers extends MemoryCompute {
  private readonly shared = memoryOffer();
  override async offers() {
    return [this.shared];
  }
}

class NeverReady extends MemoryCompute {
  protected override launch(attempt: Attempt) {
    const machine = super.launch(attempt);
    machine.readyFrom = Infinity;
    return machine;
  }
}

class NeedsTheId extends MemoryCompute {
  protected override byRef(ref: MachineRef) {
    return ref.machineId === null ? undefined : super.byRef(ref);
  }
}

async function brokenRules(compute: () => MemoryCompute): Promise<string[]> {
  const broken: string[] = [];
  for (const { rule, check } of [...COMPUTE_CASES, ...WIRE_CASES]) {
    await check(memoryWorld(compute(), { kind: 'token' })).catch(() => broken.push(rule));
  }
  return broken;
}

it.each([
  ['makes a machine for each repeat', ForgetsTokens, 'makes one machine when the same attempt is created twice'],
  ['ignores aborts', IgnoresAborts, 'makes nothing once the call was aborted'],
  ['ignores deadlines', IgnoresDeadlines, 'makes nothing past the deadline'],
  ['lists the machines of others', ListsEverybody, 'lists the machines of the owner, and of nobody else'],
  ['fails on what is gone', FailsOnUnknown, 'takes an unknown machine as terminated and gone'],
  ['leaves machines running', NeverTerminates, 'terminates, and terminates again'],
  ['leaks when there is no room', LeaksWhenFull, 'tells missing capacity as such and leaves nothing behind'],
  ['does not tell missing capacity', CallsStockOutAnOutage, 'tells missing capacity as such and leaves nothing behind'],
  ['hands out its cached offers', SharesItsOffers, 'offers what it can create, in objects the caller may change'],
  ['has machines that never get ready', NeverReady, 'makes a machine that gets ready'],
  ['offers containers and calls itself hosts', Containers, 'says by its offers of which kind its machines are'],
  ['cannot find by name', NeedsTheId, 'terminates a machine that is found by its name only'],
] as const)('a backend that %s is caught', async (_break, broken, rule) => {
  const rules = await brokenRules(() => new broken({ kind: 'token' }));
  expect(rules).toContain(rule);
});
