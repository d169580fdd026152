import type { GceReservation } from './schema.js';
import type { NetworkCard } from './network-cards.js';
import { staysOnItsHost } from './sold-types.js';

/** What a machine is made of, all of it found out before. */
export interface MachinePlan {
  readonly project: string;
  readonly zone: string;
  readonly name: string;
  readonly type: string;
  /** GPUs that are added, or that the type brings. */
  readonly gpus: number;
  readonly addedGpu: string | null;
  readonly isSpot: boolean;
  readonly image: string;
  readonly diskGb: number;
  readonly diskType: string;
  readonly cards: readonly NetworkCard[];
  readonly targetTag: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly userData: string;
  readonly authorizedKeys: readonly string[];
  readonly serviceAccount: string | null;
  readonly placementPolicy: string | null;
  readonly reservation: { readonly path: string; readonly terms: GceReservation } | null;
}

const SSH_USER = 'ubuntu';

/** The body of `instances.insert`: the same plan gives the same request. */
export function instanceBody(plan: MachinePlan): object {
  const { project, zone, reservation, labels } = plan;
  const policies = policiesOf(plan);
  return {
    name: plan.name,
    machineType: `zones/${zone}/machineTypes/${plan.type}`,
    labels,
    tags: { items: [plan.targetTag] },
    metadata: {
      items: [
        { key: 'user-data', value: plan.userData },
        { key: 'ssh-keys', value: plan.authorizedKeys.map((key) => `${SSH_USER}:${key.trim()}`).join('\n') },
      ],
    },
    disks: [bootDisk(plan), ...localDisks(plan)],
    networkInterfaces: plan.cards.map(networkInterface),
    scheduling: scheduling(plan),
    ...(plan.addedGpu === null
      ? {}
      : {
          guestAccelerators: [
            {
              acceleratorType: `projects/${project}/zones/${zone}/acceleratorTypes/${plan.addedGpu}`,
              acceleratorCount: plan.gpus,
            },
          ],
        }),
    ...(plan.serviceAccount === null
      ? {}
      : {
          serviceAccounts: [{ email: plan.serviceAccount, scopes: ['https://www.googleapis.com/auth/cloud-platform'] }],
        }),
    ...(policies.length === 0 ? {} : { resourcePolicies: policies }),
    ...(reservation === null
      ? {}
      : {
          reservationAffinity: {
            consumeReservationType: 'SPECIFIC_RESERVATION',
            key: 'compute.googleapis.com/reservation-name',
            values: [reservation.path],
          },
        }),
  };
}

function bootDisk({ zone, image, diskGb, diskType, labels }: MachinePlan): object {
  return {
    boot: true,
    autoDelete: true,
    initializeParams: {
      sourceImage: image,
      diskSizeGb: String(diskGb),
      diskType: `zones/${zone}/diskTypes/${diskType}`,
      labels,
    },
  };
}

/** A reservation with local disks takes machines with the same ones only. */
function localDisks({ zone, reservation }: MachinePlan): object[] {
  const reserved = reservation?.terms.specificReservation?.instanceProperties?.localSsds ?? [];
  return reserved.map((disk) => ({
    type: 'SCRATCH',
    autoDelete: true,
    ...(disk.interface === undefined ? {} : { interface: disk.interface }),
    initializeParams: { diskType: `zones/${zone}/diskTypes/local-ssd`, diskSizeGb: String(disk.diskSizeGb) },
  }));
}

function networkInterface({ network, subnetwork, nicType, isPublic }: NetworkCard): object {
  return {
    network,
    ...(subnetwork === null ? {} : { subnetwork }),
    ...(nicType === null ? {} : { nicType }),
    ...(isPublic ? { accessConfigs: [{ type: 'ONE_TO_ONE_NAT', name: 'External NAT', networkTier: 'PREMIUM' }] } : {}),
  };
}

/** A spot machine that Google takes back is deleted: stopped, its disk would be billed for ever. */
function scheduling({ type, gpus, isSpot, reservation }: MachinePlan): object {
  if (isSpot) return { provisioningModel: 'SPOT', instanceTerminationAction: 'DELETE', automaticRestart: false };
  return {
    ...(staysOnItsHost(type, gpus) ? { onHostMaintenance: 'TERMINATE' } : {}),
    ...(reservation?.terms.deploymentType === 'DENSE' ? { provisioningModel: 'RESERVATION_BOUND' } : {}),
  };
}

/** A reservation that keeps machines together brings the policy that they need. */
function policiesOf({ placementPolicy, reservation }: MachinePlan): string[] {
  if (reservation === null) return placementPolicy === null ? [] : [placementPolicy];
  const own = Object.values(reservation.terms.resourcePolicies ?? {});
  return own.slice(0, 1).map((url) => url.replace(/^https?:\/\/[^/]+\/compute\/[^/]+\//, ''));
}
