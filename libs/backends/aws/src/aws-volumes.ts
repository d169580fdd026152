import type { Instance, Volume } from '@aws-sdk/client-ec2';
import {
  BackendError,
  type Call,
  type CloudVolume,
  isBackendError,
  type ListedVolume,
  type MachineRef,
  type Termination,
  type VolumeConfiguration,
  type VolumeSupport,
} from '@dstack/backend-base';
import type { Ec2 } from './client.js';
import { freeDevices, KIND_TAG, regionOf, toCloudVolume, toListedVolume, VOLUME_KIND, volumeTags } from './ebs.js';
import { awsCode } from './errors.js';
import { OWNER_TAG, TOKEN_TAG } from './machine-state.js';

export interface AwsVolumesOptions {
  readonly ec2: (region: string) => Ec2;
  readonly everywhere: <T>(ask: (region: string) => Promise<T>) => Promise<T[]>;
  readonly find: (ref: MachineRef, call: Call) => Promise<Instance | null>;
  /** Zones of a region in which the account's machines can be. */
  readonly zones: (region: string, call: Call) => Promise<readonly string[]>;
  readonly tags: Readonly<Record<string, string>>;
}

/** EBS volumes of type gp3: in one zone, at one machine at a time. */
export class AwsVolumes implements VolumeSupport {
  constructor(private readonly options: AwsVolumesOptions) {}

  async register(configuration: VolumeConfiguration, call: Call): Promise<CloudVolume> {
    const { region, id, zone } = placeOf(configuration);
    if (id === null) throw rejected('volume_id is not set');
    const found = await this.volume(region, id, call);
    if (found === null) throw new BackendError({ kind: 'not-found', blocks: 'offer' }, `${region} has no volume ${id}`);
    if (zone !== null && found.AvailabilityZone !== zone)
      throw rejected(`volume ${id} is in ${found.AvailabilityZone ?? 'no zone'}, not in ${zone}`);
    return toCloudVolume(found, region);
  }

  async create(request: Parameters<VolumeSupport['create']>[0], call: Call): Promise<CloudVolume> {
    const { region, zone } = placeOf(request.configuration);
    const client = this.options.ec2(region);
    const chosen = zone ?? (await this.options.zones(region, call))[0];
    if (chosen === undefined) throw rejected(`${region} has no zone to make a volume in`);
    const sizeGb = Math.trunc(Number(request.configuration.size ?? 0));
    const tags = volumeTags(request, this.options.tags);
    const made = await client
      .createVolume({ token: request.token, zone: chosen, sizeGb, tags }, call)
      .catch(async (error: unknown) => {
        // Made by an earlier call of this attempt, when another zone was the first.
        if (awsCode(error) !== 'IdempotentParameterMismatch') throw error;
        const filters = [{ Name: `tag:${TOKEN_TAG}`, Values: [request.token] }];
        return (await client.volumes({ filters }, call))[0] ?? null;
      });
    if (made === null) throw new BackendError({ kind: 'outage', blocks: 'offer' }, 'EC2 named no volume');
    return toCloudVolume(made, region);
  }

  async delete(volume: CloudVolume, call: Call): Promise<Termination> {
    await this.options.ec2(regionOf(volume)).deleteVolume(volume.volumeId, call).catch(unlessMissing);
    return 'done';
  }

  async attach(volume: CloudVolume, machine: MachineRef, call: Call): Promise<{ deviceName: string | null }> {
    const client = this.options.ec2(regionOf(volume));
    const [known, instance] = await Promise.all([
      this.volume(regionOf(volume), volume.volumeId, call),
      this.options.find(machine, call),
    ]);
    const instanceId = instance?.InstanceId;
    if (instanceId === undefined) throw notYet(`EC2 does not list the machine ${machine.cloudName}`);
    const there = known?.Attachments?.find((each) => each.InstanceId === instanceId);
    if (there !== undefined && there.State !== 'detaching' && there.State !== 'detached')
      return { deviceName: there.Device ?? null };
    const taken = (instance?.BlockDeviceMappings ?? []).flatMap(({ DeviceName }) => DeviceName ?? []);
    for (const device of freeDevices(taken)) {
      const outcome = await this.attachAs(client, { volumeId: volume.volumeId, instanceId, device }, call);
      if (outcome === 'attached') return { deviceName: device };
    }
    throw rejected(`machine ${machine.cloudName} has no device name left for another volume`);
  }

  async detach(
    volume: CloudVolume,
    machine: MachineRef,
    { force }: { readonly force: boolean },
    call: Call,
  ): Promise<Termination> {
    const region = regionOf(volume);
    const known = await this.volume(region, volume.volumeId, call);
    const instanceId = machine.machineId ?? (await this.options.find(machine, call))?.InstanceId;
    const there = known?.Attachments?.find((each) => each.InstanceId === instanceId && each.State !== 'detached');
    if (there === undefined || instanceId === undefined) return 'done';
    if (there.State === 'detaching' && !force) return 'pending';
    const request = { volumeId: volume.volumeId, instanceId, force };
    await this.options
      .ec2(region)
      .detachVolume(request, call)
      .catch((error: unknown) => {
        // It is detached already; the next look tells.
        if (awsCode(error) !== 'IncorrectState') unlessMissing(error);
      });
    return 'pending';
  }

  async list(owner: string, call: Call): Promise<ListedVolume[]> {
    const filters = [
      { Name: `tag:${OWNER_TAG}`, Values: [owner] },
      { Name: `tag:${KIND_TAG}`, Values: [VOLUME_KIND] },
    ];
    const found = await this.options.everywhere(async (region) =>
      (await this.options.ec2(region).volumes({ filters }, call)).map((volume) => toListedVolume(volume, region)),
    );
    return found.flat();
  }

  private async attachAs(
    client: Ec2,
    request: { readonly volumeId: string; readonly instanceId: string; readonly device: string },
    call: Call,
  ): Promise<'attached' | 'device taken'> {
    try {
      await client.attachVolume(request, call);
      return 'attached';
    } catch (error) {
      const code = awsCode(error);
      if (code === 'InvalidParameterValue' && isBackendError(error) && /unixDevice|already in use/.test(error.message))
        return 'device taken';
      // The volume is still being made, or the machine is.
      if (code === 'IncorrectState') throw notYet(isBackendError(error) ? error.message : code, error);
      throw error;
    }
  }

  private async volume(region: string, id: string, call: Call): Promise<Volume | null> {
    const found = await this.options
      .ec2(region)
      .volumes({ ids: [id] }, call)
      .catch(unlessMissing);
    return found?.[0] ?? null;
  }
}

function placeOf(configuration: VolumeConfiguration): { region: string; id: string | null; zone: string | null } {
  const id = 'volume_id' in configuration ? (configuration.volume_id ?? null) : null;
  const zone = 'availability_zone' in configuration ? (configuration.availability_zone ?? null) : null;
  return { region: configuration.region ?? '', id, zone };
}

function rejected(text: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'offer' }, text);
}

/** Not refused: the next try may find it. */
function notYet(text: string, cause?: unknown): BackendError {
  return new BackendError({ kind: 'outage', blocks: 'offer' }, text, { cause });
}

function unlessMissing(error: unknown): undefined {
  if (isBackendError(error) && error.failure.kind === 'not-found') return undefined;
  throw error;
}
