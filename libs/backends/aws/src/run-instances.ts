import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2';
import type { Attempt } from '@dstack/backend-base';
import { OWNER_TAG, TOKEN_TAG } from './machine-state.js';

/** What a machine is made of, all of it found out before. */
export interface LaunchPlan {
  readonly imageId: string;
  readonly rootDevice: string;
  readonly diskGb: number;
  readonly subnetId: string;
  readonly securityGroupId: string;
  readonly publicIps: boolean;
  readonly userData: string;
  readonly instanceProfile: string | null;
  readonly reservation: Reservation | null;
  /** How many cards of the type speak EFA; 0: none. */
  readonly efaCards: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Reservation {
  readonly id: string;
  readonly isCapacityBlock: boolean;
  /** `default` or `dedicated`. */
  readonly tenancy: string;
}

/** The same attempt gives the same request: with its token EC2 answers a repetition with the machine it made. */
export function runInstances(
  { offer, token, zone, placementGroup }: Attempt,
  plan: LaunchPlan,
): RunInstancesCommandInput {
  const { reservation } = plan;
  const tags = Object.entries(plan.tags).map(([Key, Value]) => ({ Key, Value }));
  return {
    ClientToken: token,
    ImageId: plan.imageId,
    // As the catalog names it.
    InstanceType: offer.instance.name as RunInstancesCommandInput['InstanceType'] & string,
    MinCount: 1,
    MaxCount: 1,
    UserData: Buffer.from(plan.userData).toString('base64'),
    BlockDeviceMappings: [
      { DeviceName: plan.rootDevice, Ebs: { VolumeSize: plan.diskGb, VolumeType: 'gp3', DeleteOnTermination: true } },
    ],
    NetworkInterfaces: networkInterfaces(offer.instance.name, plan),
    // Powering off is how a machine ends that has lost its server.
    InstanceInitiatedShutdownBehavior: 'terminate',
    // Containers are one hop further away than the machine: they cannot take its role.
    MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
    TagSpecifications: (['instance', 'volume', 'network-interface'] as const).map((ResourceType) => ({
      ResourceType,
      Tags: tags,
    })),
    Placement: {
      ...(zone === null ? {} : { AvailabilityZone: zone }),
      ...(placementGroup === null ? {} : { GroupName: placementGroup }),
      ...(reservation === null || reservation.tenancy === 'default' ? {} : { Tenancy: 'dedicated' as const }),
    },
    ...(plan.instanceProfile === null ? {} : { IamInstanceProfile: { Name: plan.instanceProfile } }),
    ...market(offer.instance.resources.spot, reservation),
    ...(reservation === null
      ? {}
      : { CapacityReservationSpecification: { CapacityReservationTarget: { CapacityReservationId: reservation.id } } }),
  };
}

function market(
  isSpot: boolean,
  reservation: Reservation | null,
): Pick<RunInstancesCommandInput, 'InstanceMarketOptions'> {
  if (reservation?.isCapacityBlock === true) return { InstanceMarketOptions: { MarketType: 'capacity-block' } };
  if (!isSpot) return {};
  return {
    InstanceMarketOptions: {
      MarketType: 'spot',
      SpotOptions: { SpotInstanceType: 'one-time', InstanceInterruptionBehavior: 'terminate' },
    },
  };
}

type Interface = NonNullable<RunInstancesCommandInput['NetworkInterfaces']>[number];

/** With more than one card EC2 gives no public address at launch. */
function networkInterfaces(type: string, { subnetId, securityGroupId, publicIps, efaCards }: LaunchPlan): Interface[] {
  const base = { SubnetId: subnetId, Groups: [securityGroupId], DeleteOnTermination: true };
  const isSingle = efaCards <= 1;
  const first: Interface = {
    ...base,
    DeviceIndex: 0,
    ...(isSingle ? { AssociatePublicIpAddress: publicIps } : {}),
    InterfaceType: efaCards > 0 && !hasPlainFirstCard(type) ? 'efa' : 'interface',
  };
  const others = Array.from({ length: Math.max(0, efaCards - 1) }, (_, index): Interface => {
    const card = index + 1;
    const isFull = type === 'p5.48xlarge' && card % 4 === 0;
    return { ...base, DeviceIndex: 1, NetworkCardIndex: card, InterfaceType: isFull ? 'efa' : 'efa-only' };
  });
  return [first, ...others];
}

function hasPlainFirstCard(type: string): boolean {
  return type === 'p6-b300.48xlarge';
}

/** Names the machine's makers; what a configuration adds comes first and loses. */
export function machineTags(attempt: Attempt, configured: Readonly<Record<string, string>>): Record<string, string> {
  return {
    ...configured,
    ...attempt.tags,
    Name: attempt.cloudName,
    owner: 'dstack',
    dstack_project: attempt.project,
    dstack_name: attempt.instanceName,
    ...(attempt.user === '' ? {} : { dstack_user: attempt.user }),
    [OWNER_TAG]: attempt.owner,
    [TOKEN_TAG]: attempt.token,
  };
}
