import {
  type Attempt,
  type Call,
  cloudConfig,
  type GatewaySupport,
  type MachineRef,
  type MachineState,
  type Termination,
} from '@dstack/backend-base';
import type { GcpConfig } from './definition.js';
import { GATEWAY_IMAGE } from './images.js';
import { machineLabels } from './labels.js';
import type { Machines } from './machines.js';
import { GATEWAY_TAG } from './network.js';
import type { Networks } from './networks.js';
import type { Regions } from './regions.js';
import { bootDiskType } from './sold-types.js';

interface Options {
  readonly machines: Machines;
  readonly networks: Networks;
  readonly config: Pick<GcpConfig, 'project_id' | 'tags' | 'vm_service_account'>;
  readonly regions: Regions;
}

type Replica = Attempt & { readonly publicIp: boolean; readonly instanceType: string | null };

const DEFAULT_TYPE = 'e2-medium';
const DISK_GB = 10;

/** Machines that people reach over HTTP. The address is the machine's own: it changes when it is stopped. */
export class GcpGateways implements GatewaySupport {
  constructor(private readonly options: Options) {}

  async createReplica(attempt: Replica, call: Call): Promise<MachineState> {
    const { machines, networks, config } = this.options;
    const type = attempt.instanceType ?? DEFAULT_TYPE;
    const { region } = attempt.offer;
    const zone = attempt.zone ?? (await this.options.regions.firstZone(region, call));
    await networks.letIn(GATEWAY_TAG, call);
    const { main } = await networks.choice(type, region, call);
    const plan = {
      project: config.project_id,
      zone,
      name: attempt.cloudName,
      type,
      gpus: 0,
      addedGpu: null,
      isSpot: false,
      image: GATEWAY_IMAGE,
      diskGb: DISK_GB,
      diskType: bootDiskType(type),
      cards: [{ ...main, nicType: null, isPublic: attempt.publicIp }],
      targetTag: GATEWAY_TAG,
      labels: machineLabels(attempt, config.tags ?? {}),
      userData: attempt.userData ?? cloudConfig({ authorizedKeys: attempt.authorizedKeys, steps: [] }),
      authorizedKeys: attempt.authorizedKeys,
      serviceAccount: config.vm_service_account ?? null,
      placementPolicy: null,
      reservation: null,
    };
    return machines.create(plan, attempt.token, attempt.publicIp, call);
  }

  terminateReplica(ref: MachineRef, call: Call): Promise<Termination> {
    return this.options.machines.terminate(ref, call);
  }
}
