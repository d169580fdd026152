import {
  type Attempt,
  BackendError,
  type Call,
  type GroupSupport,
  type MachineRef,
  type MachineState,
} from '@dstack/backend-base';
import { readData, writeData } from './machine-data.js';
import { sliceOf } from './tpu-slices.js';

/** The hosts of a TPU slice: one node, which is made and deleted as one, with an address for each. */
export class TpuGroups implements GroupSupport {
  constructor(private readonly createNode: (attempt: Attempt, call: Call) => Promise<MachineState>) {}

  async create(attempt: Attempt, size: number, call: Call): Promise<MachineState> {
    const type = attempt.offer.instance.name;
    const hosts = sliceOf(type)?.hosts ?? 1;
    if (hosts !== size)
      throw new BackendError({ kind: 'rejected', blocks: 'offer' }, `${type} has ${hosts} hosts, not ${size}`);
    if (attempt.volumeIds.length > 0)
      throw new BackendError(
        { kind: 'rejected', blocks: 'offer' },
        `no disk can be written to by the hosts of ${type}`,
      );
    return this.createNode(attempt, call);
  }

  member(first: MachineRef, rank: number): MachineRef {
    const { zone = first.zone, operation = null } = readData(first) ?? {};
    return { ...first, backendData: writeData({ zone, isTpu: true, operation, host: rank }) };
  }
}
