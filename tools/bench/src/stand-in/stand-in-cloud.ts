import { type Compute, type MachineState, NO_CAPABILITIES } from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import { type ComputeAccount, ComputeAccounts } from '@dstack/server/parts';

/** A cloud that answers at once and never says no. It remembers nothing, so that several replicas may share one: a machine is its name. */
export class StandInAccounts extends ComputeAccounts {
  private readonly account: ComputeAccount = {
    type: 'aws',
    definition: {
      type: 'aws',
      capabilities: { ...NO_CAPABILITIES, kind: 'hosts', runtimes: ['container', 'process'] },
      idempotency: { kind: 'token' },
      maxNameLength: 60,
      provisioningTimeoutMs: () => 180_000,
    },
    compute: STAND_IN_COMPUTE,
  };

  override async ofProject(): Promise<readonly ComputeAccount[]> {
    return [this.account];
  }

  override async open(): Promise<ComputeAccount> {
    return this.account;
  }

  override async owner(): Promise<string> {
    return 'bench';
  }
}

const STAND_IN_COMPUTE: Compute = {
  offers: async () => [OFFER],
  create: async ({ cloudName }) => ready(cloudName),
  get: async ({ cloudName }) => ready(cloudName),
  list: async () => [],
  terminate: async () => 'done',
};

function ready(cloudName: string): MachineState {
  return {
    state: 'ready',
    ref: { cloudName, machineId: cloudName, region: OFFER.region, zone: null, backendData: null },
    agent: { via: 'unix', socketPath: cloudName },
    hostname: cloudName,
    internalIp: '10.0.0.1',
  };
}

const OFFER: Offer = {
  backend: 'aws',
  instance: {
    name: 'small',
    resources: {
      cpus: 2,
      memory_mib: 8_192,
      gpus: [],
      spot: false,
      disk: { size_mib: 102_400 },
      cpu_arch: 'x86',
      description: '',
    },
  },
  region: 'north',
  price: 0.1,
  availability: 'available',
  availability_zones: null,
  instance_runtime: 'shim',
  blocks: 1,
  total_blocks: 1,
};
