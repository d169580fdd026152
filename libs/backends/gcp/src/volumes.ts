import type {
  BackendEnvironment,
  Call,
  CloudVolume,
  MachineRef,
  Termination,
  VolumeConfiguration,
  VolumeSupport,
} from '@dstack/backend-base';
import { BackendError } from '@dstack/backend-base';
import type { Gce } from './client.js';
import { dataDisk } from './create-node.js';
import type { GcpConfig } from './definition.js';
import {
  deviceName,
  DISK_TYPE,
  diskPath,
  isBootDisk,
  isIn,
  isSameDisk,
  machineAt,
  rejected,
  toVolume,
  wantedDisk,
} from './disk.js';
import { isConflict, isMissing, unlessMissing } from './errors.js';
import { OWNER_LABEL, volumeLabels } from './labels.js';
import { failureIn, isDone } from './machines.js';
import { SHORT_WATCH_MS, watch } from './operations.js';
import type { Regions } from './regions.js';
import { lastPart } from './reservation.js';
import type { Operation } from './schema.js';
import { takesVolumes } from './sold-types.js';
import type { TpuApi } from './tpu-client.js';
import type { Tpus } from './tpus.js';

interface Options {
  readonly gce: Gce;
  readonly api: TpuApi;
  readonly tpus: Tpus;
  readonly regions: Regions;
  readonly config: Pick<GcpConfig, 'project_id' | 'tags'>;
  readonly environment: Pick<BackendEnvironment, 'now' | 'sleep'>;
}

const MIN_GB = 10;

/** Persistent disks of one zone. */
export class GcpVolumes implements VolumeSupport {
  constructor(private readonly options: Options) {}

  /** A name is given once in each zone: the disk is in the zone that is wanted, or in any of the region. */
  async register(configuration: VolumeConfiguration, call: Call): Promise<CloudVolume> {
    const wanted = wantedDisk(configuration);
    if (wanted.diskName === null) throw rejected('the configuration names no volume_id');
    const found = await this.options.gce.disks(`name = "${wanted.diskName}"`, call);
    const disk = found.find((each) => isIn(each, wanted));
    if (disk !== undefined) return { ...toVolume(disk), priceUsdPerMonth: null };
    const text = `Google Cloud has no disk ${wanted.diskName} in ${wanted.zone ?? wanted.region}`;
    throw new BackendError({ kind: 'not-found', blocks: 'region' }, text);
  }

  async create(
    request: { configuration: VolumeConfiguration; token: string; cloudName: string; owner: string },
    call: Call,
  ): Promise<CloudVolume> {
    const { configuration, token, cloudName: name, owner } = request;
    const { gce, config, regions } = this.options;
    const { region, zone: asked, sizeGb, title, tags } = wantedDisk(configuration);
    if (sizeGb === null) throw rejected('the configuration names no size');
    const zone = asked ?? (await regions.firstZone(region, call));
    const body = {
      name,
      sizeGb: String(Math.max(MIN_GB, Math.ceil(sizeGb))),
      type: `projects/${config.project_id}/zones/${zone}/diskTypes/${DISK_TYPE}`,
      labels: volumeLabels(owner, title, tags, config.tags ?? {}),
    };
    try {
      await this.finish(await gce.insertDisk(zone, body, token, call), zone, call);
    } catch (error) {
      // An earlier call of this request made it.
      if (!isConflict(error)) throw error;
    }
    return toVolume(await gce.disk(zone, name, call));
  }

  async delete({ volumeId, zone }: CloudVolume, call: Call): Promise<Termination> {
    if (zone === null) return 'done';
    const begun = await this.options.gce.deleteDisk(zone, volumeId, call).catch(unlessMissing);
    return begun === null || isDone(await this.finish(begun, zone, call)) ? 'done' : 'pending';
  }

  /** Gives the name under which the machine has it in `/dev/disk/by-id/google-…`. */
  async attach({ volumeId, zone: own }: CloudVolume, machine: MachineRef, call: Call): Promise<{ deviceName: string }> {
    const { gce, config } = this.options;
    const { zone, name, isTpu } = machineAt(machine);
    if (own !== zone) throw rejected(`the disk ${volumeId} is in ${own ?? 'no zone'}, the machine is in ${zone}`);
    const source = diskPath(config.project_id, zone, volumeId);
    if (isTpu) return this.attachToTpu(source, machine, call);
    const { disks, machineType } = await gce.instance(zone, name, call);
    const type = lastPart(machineType ?? '');
    if (!takesVolumes(type)) throw rejected(`${type} takes no persistent disks`);
    const attached = disks?.find((disk) => isSameDisk(disk.source, source));
    if (attached?.deviceName !== undefined) return { deviceName: attached.deviceName };
    const device = deviceName(volumeId);
    const begun = await gce.attachDisk(zone, name, { source, deviceName: device, autoDelete: false }, call);
    await this.finish(begun, zone, call);
    return { deviceName: device };
  }

  /** Google knows no gentle and no forced way: it takes the disk away. */
  async detach(
    { volumeId }: CloudVolume,
    machine: MachineRef,
    _options: { force: boolean },
    call: Call,
  ): Promise<Termination> {
    const { gce, config } = this.options;
    const { zone, name, isTpu } = machineAt(machine);
    const source = diskPath(config.project_id, zone, volumeId);
    if (isTpu) return this.detachFromTpu(source, machine, call);
    const found = await gce.instance(zone, name, call).catch(unlessMissing);
    const attached = found?.disks?.find((disk) => isSameDisk(disk.source, source));
    if (attached?.deviceName === undefined) return 'done';
    try {
      const begun = await gce.detachDisk(zone, name, attached.deviceName, call);
      return isDone(await this.finish(begun, zone, call)) ? 'done' : 'pending';
    } catch (error) {
      if (isMissing(error)) return 'done';
      throw error;
    }
  }

  async list(owner: string, call: Call): Promise<CloudVolume[]> {
    const disks = await this.options.gce.disks(`labels.${OWNER_LABEL} = "${owner}"`, call);
    return disks.filter((disk) => !isBootDisk(disk)).map(toVolume);
  }

  private async attachToTpu(source: string, machine: MachineRef, call: Call): Promise<{ deviceName: string }> {
    const node = await this.options.tpus.find(machine, call);
    const type = node?.acceleratorType ?? '';
    if (node === null) throw rejected(`there is no TPU ${machine.cloudName}`);
    if (!takesVolumes(type)) throw rejected(`${type} takes no persistent disks`);
    const sources = (node.dataDisks ?? []).map((disk) => disk.sourceDisk);
    const known = sources.findIndex((each) => isSameDisk(each, source));
    if (known === -1) await this.setDisks(machine, [...sources, source], call);
    // Numbered in the order of the list; 0 is what the TPU starts from.
    return { deviceName: `persistent-disk-${(known === -1 ? sources.length : known) + 1}` };
  }

  private async detachFromTpu(source: string, machine: MachineRef, call: Call): Promise<Termination> {
    const node = await this.options.tpus.find(machine, call);
    const sources = (node?.dataDisks ?? []).map((disk) => disk.sourceDisk);
    const others = sources.filter((each) => !isSameDisk(each, source));
    if (others.length < sources.length) await this.setDisks(machine, others, call);
    return 'done';
  }

  private async setDisks(machine: MachineRef, sources: readonly string[], call: Call): Promise<void> {
    const { zone, name } = machineAt(machine);
    await this.options.api.setDataDisks(zone, name, sources.map(dataDisk), call);
  }

  private async finish(begun: Operation, zone: string, call: Call): Promise<Operation> {
    const { gce, environment } = this.options;
    const ask = () => gce.zoneOperation(zone, begun.name, call);
    const seen = await watch(begun, { ask, isOver: isDone, limitMs: SHORT_WATCH_MS }, call, environment);
    const failure = failureIn(seen);
    if (failure !== null) throw failure;
    return seen;
  }
}
