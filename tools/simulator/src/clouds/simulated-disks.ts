import {
  BackendError,
  type Call,
  type CloudVolume,
  type Idempotency,
  type ListedVolume,
  type MachineRef,
  type Termination,
  type VolumeSupport,
} from '@dstack/backend-base';
import type { Surroundings } from '../surroundings.js';

interface Disk {
  readonly id: string;
  readonly cloudName: string;
  readonly token: string;
  readonly owner: string;
  readonly region: string;
  readonly zone: string;
  readonly createdAt: number;
  isAlive: boolean;
  /** The machine that it is at; it leaves it when that ends. */
  machineId: string | null;
  /** Somebody asked for it, and it takes until then. */
  leavesAt: number | null;
}

export interface DisksOfCloud {
  readonly name: string;
  readonly idempotency: Idempotency;
  readonly around: Surroundings;
  /** Of a machine that lives; null: there is none. */
  readonly livingMachine: (ref: Pick<MachineRef, 'machineId' | 'cloudName'>) => string | null;
}

/** How one life of a server asks the cloud. */
export type Ask = <T>(name: string, call: Call, effect: () => T) => Promise<T>;

const LEAVING_MS = [1_000, 30_000] as const;

/** The network volumes of one cloud: each is at one machine at a time, leaves it slowly, and outlives it. */
export class SimulatedDisks {
  private readonly disks = new Map<string, Disk>();

  constructor(private readonly cloud: DisksOfCloud) {}

  /** Names of those that are there. */
  get living(): string[] {
    return [...this.disks.values()].filter(({ isAlive }) => isAlive).map(({ cloudName }) => cloudName);
  }

  isAt(volumeId: string, machineId: string): boolean {
    const disk = this.disks.get(volumeId);
    return disk?.isAlive === true && this.machineOf(disk) === machineId;
  }

  for(ask: Ask): VolumeSupport {
    return {
      register: () =>
        Promise.reject(new BackendError({ kind: 'not-found', blocks: 'account' }, 'nobody has disks here')),
      create: ({ configuration, token, cloudName, owner }, call) =>
        ask(`create disk ${cloudName}`, call, () => {
          const region = 'region' in configuration ? configuration.region : null;
          const zone = 'availability_zone' in configuration ? configuration.availability_zone : null;
          return this.create({ cloudName, token, owner, region: region ?? '', zone: zone ?? `${region ?? ''}-a` });
        }),
      delete: (volume, call) => ask(`delete disk ${volume.volumeId}`, call, () => this.delete(volume)),
      attach: (volume, ref, call) =>
        ask(`attach ${volume.volumeId} to ${ref.cloudName}`, call, () => this.attach(volume, ref)),
      detach: (volume, ref, { force }, call) =>
        ask(`detach ${volume.volumeId} from ${ref.cloudName}${force ? ' by force' : ''}`, call, () =>
          this.detach(volume, ref, force),
        ),
      list: (owner, call) => ask('list disks', call, () => this.list(owner)),
    };
  }

  private create(wanted: Pick<Disk, 'cloudName' | 'token' | 'owner' | 'region' | 'zone'>): CloudVolume {
    const { idempotency, around, name } = this.cloud;
    const known = [...this.disks.values()].find((disk) =>
      idempotency.kind === 'token' ? disk.token === wanted.token : disk.isAlive && disk.cloudName === wanted.cloudName,
    );
    if (known !== undefined) {
      if (idempotency.kind !== 'lookup') return volumeOf(known);
      around.story.violate(`a second disk is made for ${wanted.cloudName}`);
    }
    const id = `${name}-disk-${this.disks.size}`;
    const disk = { ...wanted, id, createdAt: around.time.now(), isAlive: true, machineId: null, leavesAt: null };
    this.disks.set(id, disk);
    around.story.tell(`${name}: ${id} is made as ${wanted.cloudName}`);
    return volumeOf(disk);
  }

  private delete({ volumeId }: CloudVolume): Termination {
    const disk = this.disks.get(volumeId);
    if (disk === undefined || !disk.isAlive) return 'done';
    const at = this.machineOf(disk);
    const { story, random } = this.cloud.around;
    if (at !== null) story.violate(`${disk.id} (${disk.cloudName}) is to be deleted while it is at ${at}`);
    if (random.chance(0.2)) return 'pending';
    disk.isAlive = false;
    story.tell(`${this.cloud.name}: ${disk.id} is deleted`);
    return 'done';
  }

  private attach({ volumeId }: CloudVolume, ref: MachineRef): { deviceName: string } {
    const disk = this.disks.get(volumeId);
    const machineId = this.cloud.livingMachine(ref);
    if (disk?.isAlive !== true || machineId === null)
      throw new BackendError({ kind: 'not-found', blocks: 'offer' }, 'there is no such disk, or no such machine');
    const at = this.machineOf(disk);
    if (at !== null && at !== machineId)
      throw new BackendError({ kind: 'outage', blocks: 'offer' }, `${volumeId} is still at another machine`);
    if (at === null) {
      disk.machineId = machineId;
      disk.leavesAt = null;
      this.cloud.around.story.tell(`${this.cloud.name}: ${disk.id} comes to ${machineId}`);
    }
    return { deviceName: '/dev/sdf' };
  }

  private detach({ volumeId }: CloudVolume, ref: MachineRef, force: boolean): Termination {
    const disk = this.disks.get(volumeId);
    const at = disk === undefined ? null : this.machineOf(disk);
    if (disk === undefined || at === null || at !== this.cloud.livingMachine(ref)) return 'done';
    const { time, random, story } = this.cloud.around;
    disk.leavesAt ??= time.now() + (random.chance(0.5) ? 0 : random.between(...LEAVING_MS));
    if (!force && time.now() < disk.leavesAt) return 'pending';
    disk.machineId = null;
    story.tell(`${this.cloud.name}: ${disk.id} leaves ${at}`);
    return 'done';
  }

  private list(owner: string): ListedVolume[] {
    return [...this.disks.values()]
      .filter((disk) => disk.isAlive && disk.owner === owner && this.isListed(disk))
      .map((disk) => ({ ...volumeOf(disk), cloudName: disk.cloudName, token: disk.token }));
  }

  private isListed({ createdAt }: Disk): boolean {
    const { idempotency, around } = this.cloud;
    return around.time.now() >= createdAt + (idempotency.kind === 'lookup' ? idempotency.listLagMs * 0.9 : 0);
  }

  private machineOf({ machineId }: Disk): string | null {
    return machineId === null ? null : this.cloud.livingMachine({ machineId, cloudName: '' });
  }
}

function volumeOf({ id, zone }: Disk): CloudVolume {
  return { volumeId: id, sizeGb: 10, zone, priceUsdPerMonth: 1, attachable: true, backendData: null };
}
