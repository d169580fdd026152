import type { VirtualMachine } from '@azure/arm-compute';
import {
  type Attempt,
  cloudConfig,
  INSTALL_DOCKER,
  KEEP_GPUS_ON_RELOAD,
  type MachineImages,
} from '@dstack/backend-base';
import { type ImageReference, imageOf, UBUNTU } from './images.js';
import { LOGIN_USER, OWNER_TAG, TOKEN_TAG } from './machine-state.js';
import { needsNvme } from './sizes.js';

/** What a machine is, whatever it is for. */
export interface MachineKind {
  readonly size: string;
  readonly diskGb: number;
  readonly isSpot: boolean;
  readonly image: ImageReference;
  readonly computerName: string;
  /** At the first start. */
  readonly steps: readonly string[];
}

/** What it is made of, all of it found out before. */
export interface CreatePlan {
  readonly subnetId: string;
  readonly securityGroupId: string;
  readonly publicIps: boolean;
  readonly identityId: string | null;
  /** Of the capacity reservation group it counts against; null: of none. */
  readonly reservationId: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

const DEFAULT_DISK_GB = 100;
const SMALLEST_DISK_GB = 30;

/** Whatever is made with the machine goes with it. */
const WITH_THE_MACHINE = { deleteOption: 'Delete' };

/** The machine of an offer: it runs jobs. */
export function hostKind({ offer }: Attempt, images: MachineImages): MachineKind {
  const { name: size, resources } = offer.instance;
  const { reference, isPrepared } = imageOf(size, resources.gpus, images);
  return {
    size,
    diskGb: Math.ceil((resources.disk?.size_mib ?? DEFAULT_DISK_GB * 1024) / 1024),
    isSpot: resources.spot,
    image: reference,
    computerName: 'runnervm',
    steps: isPrepared ? [KEEP_GPUS_ON_RELOAD] : [INSTALL_DOCKER],
  };
}

const GATEWAY_SIZE = 'Standard_B1ms';

/** The machine through which people reach services. */
export function gatewayKind({ userData }: Attempt, size: string | null): MachineKind {
  return {
    size: size ?? GATEWAY_SIZE,
    diskGb: SMALLEST_DISK_GB,
    isSpot: false,
    image: UBUNTU.reference,
    computerName: 'gatewayvm',
    steps: userData === null ? [] : [userData],
  };
}

export function createRequest(attempt: Attempt, kind: MachineKind, plan: CreatePlan): VirtualMachine {
  const { offer, zone, authorizedKeys } = attempt;
  const { size, steps } = kind;
  return {
    location: offer.region,
    tags: { ...plan.tags },
    hardwareProfile: { vmSize: size },
    storageProfile: {
      imageReference: kind.image,
      osDisk: {
        createOption: 'FromImage',
        managedDisk: { storageAccountType: 'StandardSSD_LRS' },
        diskSizeGB: Math.max(SMALLEST_DISK_GB, kind.diskGb),
        ...WITH_THE_MACHINE,
      },
      ...(needsNvme(size) ? { diskControllerType: 'NVMe' } : {}),
    },
    osProfile: {
      computerName: kind.computerName,
      adminUsername: LOGIN_USER,
      // Unlike user data it cannot be read again through Azure, neither by whoever may see the machine nor from within.
      customData: Buffer.from(cloudConfig({ authorizedKeys, steps })).toString('base64'),
      linuxConfiguration: {
        disablePasswordAuthentication: true,
        ssh: { publicKeys: authorizedKeys.filter(isTaken).map((line) => ({ path: KEYS_FILE, keyData: line.trim() })) },
      },
    },
    networkProfile: { networkApiVersion: '2022-11-01', networkInterfaceConfigurations: [card(plan)] },
    ...(kind.isSpot
      ? { priority: 'Spot', evictionPolicy: 'Delete', billingProfile: { maxPrice: -1 } }
      : { priority: 'Regular' }),
    ...(zone === null ? {} : { zones: [zone] }),
    ...(plan.reservationId === null
      ? {}
      : { capacityReservation: { capacityReservationGroup: { id: plan.reservationId } } }),
    ...(plan.identityId === null
      ? {}
      : { identity: { type: 'UserAssigned', userAssignedIdentities: { [plan.identityId]: {} } } }),
  };
}

const KEYS_FILE = `/home/${LOGIN_USER}/.ssh/authorized_keys`;

/** Azure itself takes no other kinds of keys; the first start adds those. */
function isTaken(line: string): boolean {
  return /^ssh-(rsa|ed25519) /.test(line.trim());
}

function card({ subnetId, securityGroupId, publicIps, tags }: CreatePlan) {
  return {
    name: 'nic_config',
    primary: true,
    tags: { ...tags },
    networkSecurityGroup: { id: securityGroupId },
    ...WITH_THE_MACHINE,
    ipConfigurations: [
      {
        name: 'ip_config',
        primary: true,
        subnet: { id: subnetId },
        ...(publicIps
          ? {
              publicIPAddressConfiguration: {
                name: 'public_ip_config',
                // Of the basic kind there are no new ones.
                sku: { name: 'Standard' },
                publicIPAllocationMethod: 'Static',
                tags: { ...tags },
                ...WITH_THE_MACHINE,
              },
            }
          : {}),
      },
    ],
  };
}

const RESERVED = /^(microsoft|azure|windows)/i;

/** Names the machine's makers; what a configuration adds comes first and loses. Azure's names of tags know no capitals. */
export function machineTags(attempt: Attempt, configured: Readonly<Record<string, string>>): Record<string, string> {
  const own: Readonly<Record<string, string>> = {
    owner: 'dstack',
    dstack_project: attempt.project,
    dstack_name: attempt.instanceName,
    ...(attempt.user === '' ? {} : { dstack_user: attempt.user }),
    [OWNER_TAG]: attempt.owner,
    [TOKEN_TAG]: attempt.token,
  };
  const tags = new Map<string, readonly [string, string]>();
  for (const [key, value] of [...Object.entries(configured), ...Object.entries(attempt.tags), ...Object.entries(own)])
    if (!RESERVED.test(key)) tags.set(key.toLowerCase(), [key, value]);
  return Object.fromEntries(tags.values());
}
