import { type Attempt, cloudConfig, INSTALL_DOCKER, KEEP_GPUS_ON_RELOAD } from '@dstack/backend-base';
import type { ChosenImage } from './images.js';
import { OWNER_TAG, TOKEN_TAG } from './machine-state.js';
import { coresOf, isFlexible } from './shapes.js';

/** What a machine is made of beside its offer, all of it found out before. */
export interface LaunchPlan {
  readonly compartmentId: string;
  readonly availabilityDomain: string;
  readonly subnetId: string;
  readonly securityGroupId: string;
  readonly image: ChosenImage;
}

export type LaunchDetails = ReturnType<typeof launchRequest>;

const DEFAULT_DISK_GB = 100;
const SMALLEST_DISK_GB = 50;

/** Oracle's images let nothing in but SSH; nodes of a job reach each other. */
const OPEN_NETWORK = `
if command -v iptables >/dev/null; then
  iptables -I INPUT 1 -s 10.0.0.0/16 -j ACCEPT || true
fi`;

/** The same attempt gives the same request: with its token Oracle answers a repetition with the machine it made. */
export function launchRequest(attempt: Attempt, plan: LaunchPlan) {
  const { offer, authorizedKeys } = attempt;
  const { name: shape, resources } = offer.instance;
  const diskGb = Math.ceil((resources.disk?.size_mib ?? DEFAULT_DISK_GB * 1024) / 1024);
  const steps = [OPEN_NETWORK, ...(plan.image.isPrepared ? [KEEP_GPUS_ON_RELOAD] : [INSTALL_DOCKER])];
  const freeformTags = machineTags(attempt);
  return {
    availabilityDomain: plan.availabilityDomain,
    compartmentId: plan.compartmentId,
    displayName: attempt.cloudName,
    shape,
    ...(isFlexible(shape)
      ? { shapeConfig: { ocpus: coresOf(resources.cpus), memoryInGBs: Math.round(resources.memory_mib / 1024) } }
      : {}),
    createVnicDetails: {
      subnetId: plan.subnetId,
      nsgIds: [plan.securityGroupId],
      assignPublicIp: true,
      freeformTags,
    },
    sourceDetails: {
      sourceType: 'image',
      imageId: plan.image.id,
      bootVolumeSizeInGBs: Math.max(SMALLEST_DISK_GB, diskGb),
    },
    metadata: {
      ssh_authorized_keys: authorizedKeys.map((line) => line.trim()).join('\n'),
      user_data: Buffer.from(cloudConfig({ authorizedKeys, steps })).toString('base64'),
    },
    // The first version of the metadata service answers whoever can make a machine send a request.
    instanceOptions: { areLegacyImdsEndpointsDisabled: true },
    ...(resources.spot
      ? { preemptibleInstanceConfig: { preemptionAction: { type: 'TERMINATE', preserveBootVolume: false } } }
      : {}),
    freeformTags,
  };
}

/** Names the machine's makers. */
function machineTags(attempt: Attempt): Record<string, string> {
  return {
    ...attempt.tags,
    owner: 'dstack',
    dstack_project: attempt.project,
    dstack_name: attempt.instanceName,
    ...(attempt.user === '' ? {} : { dstack_user: attempt.user }),
    [OWNER_TAG]: attempt.owner,
    [TOKEN_TAG]: attempt.token,
  };
}
