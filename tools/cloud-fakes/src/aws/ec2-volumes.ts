import type { FakeEc2Instance } from './ec2-region.js';
import { Ec2Refusal } from './ec2-refusal.js';

type Input = Readonly<Record<string, unknown>>;
type Filter = { readonly Name?: string; readonly Values?: readonly string[] };
type Tag = { readonly Key: string; readonly Value: string };

export interface FakeAttachment {
  readonly instanceId: string;
  readonly device: string;
  state: 'attaching' | 'attached' | 'detaching';
}

export interface FakeVolume {
  readonly id: string;
  readonly token: string;
  readonly zone: string;
  readonly sizeGb: number;
  readonly iops: number;
  readonly tags: Readonly<Record<string, string>>;
  readonly input: Input;
  readonly readyAt: number;
  attachment: FakeAttachment | null;
}

/** What a disk does that comes to a machine and leaves it. */
export interface Disks {
  /** The disk appears at the machine. */
  readonly plug?: (volume: FakeVolume, instance: FakeEc2Instance, device: string) => Promise<void>;
  /** Rejects when the machine has it in use. */
  readonly unplug?: (volume: FakeVolume, instance: FakeEc2Instance, force: boolean) => Promise<void>;
  readonly erase?: (volume: FakeVolume) => Promise<void>;
}

/** The EBS volumes of one region. */
export class Ec2Volumes {
  readonly all = new Map<string, FakeVolume>();
  /** A volume is `creating` for that long. */
  creationMs = 0;
  /** Their detachment does not end unless it is forced. */
  readonly stuck = new Set<string>();
  private nextId = 1;

  constructor(
    private readonly zones: readonly string[],
    private readonly instances: ReadonlyMap<string, FakeEc2Instance>,
    private readonly disks: Disks,
  ) {}

  create(input: Input): object {
    const token = typeof input['ClientToken'] === 'string' ? input['ClientToken'] : '';
    const known = [...this.all.values()].find((volume) => token !== '' && volume.token === token);
    if (known !== undefined) {
      if (JSON.stringify(known.input) === JSON.stringify(input)) return this.view(known);
      throw new Ec2Refusal(
        'IdempotentParameterMismatch',
        'The client token is already associated with a different request',
      );
    }
    const zone = String(input['AvailabilityZone']);
    if (!this.zones.includes(zone))
      throw new Ec2Refusal('InvalidParameterValue', `Invalid availability zone: [${zone}]`);
    const sizeGb = Number(input['Size']);
    if (!Number.isInteger(sizeGb) || sizeGb < 1 || sizeGb > 65_536)
      throw new Ec2Refusal(
        'InvalidParameterValue',
        `Volume of ${String(input['Size'])}GiB is out of range for volume type gp3.`,
      );
    const tags = (input['TagSpecifications'] as { ResourceType: string; Tags: Tag[] }[] | undefined)?.find(
      ({ ResourceType }) => ResourceType === 'volume',
    )?.Tags;
    const volume: FakeVolume = {
      id: `vol-${String(this.nextId++).padStart(17, '0')}`,
      token,
      zone,
      sizeGb,
      iops: Number(input['Iops'] ?? 3000),
      tags: Object.fromEntries((tags ?? []).map(({ Key, Value }) => [Key, Value])),
      input,
      readyAt: Date.now() + this.creationMs,
      attachment: null,
    };
    this.all.set(volume.id, volume);
    return this.view(volume);
  }

  describe(input: Input): object {
    const ids = input['VolumeIds'] as string[] | undefined;
    const filters = (input['Filters'] ?? []) as Filter[];
    const found = ids === undefined ? [...this.all.values()] : ids.map((id) => this.known(id));
    return {
      Volumes: found
        .filter((volume) => filters.every((filter) => passes(volume, filter)))
        .map((each) => this.view(each)),
    };
  }

  attach({ VolumeId, InstanceId, Device }: Input): object {
    const volume = this.known(String(VolumeId));
    const instance = this.instances.get(String(InstanceId));
    if (instance === undefined)
      throw new Ec2Refusal('InvalidInstanceID.NotFound', `The instance ID '${String(InstanceId)}' does not exist`);
    if (volume.attachment !== null)
      throw new Ec2Refusal('VolumeInUse', `${volume.id} is already attached to an instance`);
    if (volume.readyAt > Date.now())
      throw new Ec2Refusal('IncorrectState', `Volume '${volume.id}' is not 'available'.`);
    if (instance.state !== 'running')
      throw new Ec2Refusal('IncorrectState', `Instance '${instance.id}' is not 'running'.`);
    if (instance.zone !== volume.zone)
      throw new Ec2Refusal(
        'InvalidVolume.ZoneMismatch',
        `The volume '${volume.id}' is not in the same availability zone as instance '${instance.id}'`,
      );
    const device = String(Device);
    if (this.devicesOf(instance.id).some(({ DeviceName }) => DeviceName === device))
      throw new Ec2Refusal(
        'InvalidParameterValue',
        `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
      );
    const attachment: FakeAttachment = { instanceId: instance.id, device, state: 'attaching' };
    volume.attachment = attachment;
    void Promise.resolve(this.disks.plug?.(volume, instance, device)).then(() => {
      if (attachment.state === 'attaching') attachment.state = 'attached';
    });
    return attachmentView(volume.id, attachment);
  }

  detach({ VolumeId, InstanceId, Force }: Input): object {
    const volume = this.known(String(VolumeId));
    const { attachment } = volume;
    if (attachment === null)
      throw new Ec2Refusal('IncorrectState', `Volume '${volume.id}' is in the 'available' state.`);
    if (InstanceId !== undefined && attachment.instanceId !== InstanceId)
      throw new Ec2Refusal('InvalidAttachment.NotFound', `Volume '${volume.id}' is not attached to that instance`);
    const force = Force === true;
    const isAsked = attachment.state === 'detaching';
    attachment.state = 'detaching';
    if (force || (!isAsked && !this.stuck.has(volume.id))) this.unplug(volume, force).catch(() => undefined);
    return attachmentView(volume.id, attachment);
  }

  delete({ VolumeId }: Input): object {
    const volume = this.known(String(VolumeId));
    if (volume.attachment !== null)
      throw new Ec2Refusal(
        'VolumeInUse',
        `Volume ${volume.id} is currently attached to ${volume.attachment.instanceId}`,
      );
    this.all.delete(volume.id);
    void this.disks.erase?.(volume);
    return {};
  }

  /** Whoever ends lets go of everything. */
  release(instanceId: string): void {
    for (const volume of this.all.values()) if (volume.attachment?.instanceId === instanceId) volume.attachment = null;
  }

  devicesOf(instanceId: string): { readonly DeviceName: string; readonly Ebs: object }[] {
    const own = [...this.all.values()].flatMap((volume) =>
      volume.attachment?.instanceId === instanceId
        ? [{ DeviceName: volume.attachment.device, Ebs: { VolumeId: volume.id, Status: volume.attachment.state } }]
        : [],
    );
    return [{ DeviceName: '/dev/sda1', Ebs: { VolumeId: `vol-root-${instanceId}`, Status: 'attached' } }, ...own];
  }

  private async unplug(volume: FakeVolume, force: boolean): Promise<void> {
    const { attachment } = volume;
    const instance = attachment === null ? undefined : this.instances.get(attachment.instanceId);
    // A disk that its machine has in use stays `detaching`, as it does at EC2.
    if (instance !== undefined) await this.disks.unplug?.(volume, instance, force);
    if (volume.attachment === attachment) volume.attachment = null;
  }

  private known(id: string): FakeVolume {
    const volume = this.all.get(id);
    if (volume === undefined) throw new Ec2Refusal('InvalidVolume.NotFound', `The volume '${id}' does not exist.`);
    return volume;
  }

  private view(volume: FakeVolume): object {
    const { attachment } = volume;
    const state = volume.readyAt > Date.now() ? 'creating' : attachment === null ? 'available' : 'in-use';
    return {
      VolumeId: volume.id,
      AvailabilityZone: volume.zone,
      Size: volume.sizeGb,
      Iops: volume.iops,
      VolumeType: 'gp3',
      State: state,
      CreateTime: new Date(volume.readyAt - this.creationMs),
      MultiAttachEnabled: false,
      Encrypted: false,
      Attachments: attachment === null ? [] : [attachmentView(volume.id, attachment)],
      Tags: Object.entries(volume.tags).map(([Key, Value]) => ({ Key, Value })),
    };
  }
}

function attachmentView(VolumeId: string, { instanceId, device, state }: FakeAttachment): object {
  return { VolumeId, InstanceId: instanceId, Device: device, State: state, DeleteOnTermination: false };
}

function passes({ tags }: FakeVolume, { Name = '', Values = [] }: Filter): boolean {
  return Name.startsWith('tag:') && Values.includes(tags[Name.slice(4)] ?? '');
}
