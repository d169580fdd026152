import type { Call, PlacementGroupSupport, Termination } from '@dstack/backend-base';
import type { Ec2 } from './client.js';
import { awsCode } from './errors.js';
import { OWNER_TAG } from './machine-state.js';

type Group = Parameters<PlacementGroupSupport['create']>[0];

/** Cluster placement groups: what is in one is close together, in one zone. */
export class AwsPlacementGroups implements PlacementGroupSupport {
  readonly compatibleWithReservations = true;

  constructor(
    private readonly ec2: (region: string) => Ec2,
    private readonly tags: Readonly<Record<string, string>>,
  ) {}

  async create({ cloudName, region, owner }: Group, call: Call): Promise<{ backendData: null }> {
    const tags = { ...this.tags, owner: 'dstack', [OWNER_TAG]: owner };
    await this.ec2(region)
      .createPlacementGroup(cloudName, tags, call)
      .catch((error: unknown) => {
        // Names are never used twice: an earlier call made it.
        if (awsCode(error) !== 'InvalidPlacementGroup.Duplicate') throw error;
      });
    return { backendData: null };
  }

  async delete({ cloudName, region }: Pick<Group, 'cloudName' | 'region'>, call: Call): Promise<Termination> {
    try {
      await this.ec2(region).deletePlacementGroup(cloudName, call);
      return 'done';
    } catch (error) {
      const code = awsCode(error);
      if (code === 'InvalidPlacementGroup.Unknown') return 'done';
      // Machines that have ended stay members for a while.
      if (code === 'InvalidPlacementGroup.InUse') return 'pending';
      throw error;
    }
  }
}
