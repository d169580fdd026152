import { BackendError, type CloudVolume, type MachineRef, type VolumeConfiguration } from '@dstack/backend-base';
import { readData } from './machine-data.js';
import { regionOf } from './region-of.js';
import { lastPart } from './reservation.js';
import type { GceDisk } from './schema.js';

export const DISK_TYPE = 'pd-balanced';

/** For 30 days, of the type above. */
const PRICE_USD_PER_GB_MONTH = 0.12;

export function diskPath(project: string, zone: string, name: string): string {
  return `projects/${project}/zones/${zone}/disks/${name}`;
}

export interface WantedDisk {
  /** Of one that exists. */
  readonly diskName: string | null;
  readonly title: string | null;
  readonly region: string;
  readonly zone: string | null;
  readonly sizeGb: number | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** @throws {BackendError} for the configuration of a volume of another cloud */
export function wantedDisk(configuration: VolumeConfiguration): WantedDisk {
  if (configuration.backend !== 'gcp') throw rejected('the volume is not of Google Cloud');
  const { volume_id: diskName, name, region, availability_zone: zone, size, tags } = configuration;
  return {
    diskName: diskName ?? null,
    title: name ?? null,
    region,
    zone: zone ?? null,
    sizeGb: size ?? null,
    tags: tags ?? {},
  };
}

export function isIn({ zone }: GceDisk, wanted: Pick<WantedDisk, 'region' | 'zone'>): boolean {
  const own = lastPart(zone ?? '');
  return wanted.zone === null ? regionOf(own) === wanted.region : own === wanted.zone;
}

/** What machines start from has the owner's label too, and goes with them. */
export function isBootDisk({ sourceImage }: GceDisk): boolean {
  return sourceImage !== undefined;
}

export function toVolume({ name, zone, sizeGb, type }: GceDisk): CloudVolume {
  const isPriced = lastPart(type ?? '') === DISK_TYPE;
  return {
    volumeId: name,
    sizeGb,
    zone: lastPart(zone ?? ''),
    priceUsdPerMonth: isPriced ? Math.round(sizeGb * PRICE_USD_PER_GB_MONTH * 100) / 100 : null,
    attachable: true,
    backendData: null,
  };
}

const MAX_DEVICE_NAME = 63;

/** Under which the machine has it in `/dev/disk/by-id/google-…`. */
export function deviceName(disk: string): string {
  return `pd-${disk}`.slice(0, MAX_DEVICE_NAME);
}

/** Google writes the same disk with its host, with its project's name, or from the project on. */
export function isSameDisk(source: string | undefined, path: string): boolean {
  return source !== undefined && (source === path || source.endsWith(`/${path}`));
}

/** @throws {BackendError} */
export function machineAt(ref: MachineRef): { zone: string; name: string; isTpu: boolean } {
  const data = readData(ref);
  const zone = ref.zone ?? data?.zone ?? null;
  if (zone === null) throw rejected(`the zone of ${ref.cloudName} is not known`);
  return { zone, name: ref.machineId ?? ref.cloudName, isTpu: data?.isTpu === true };
}

export function rejected(text: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'offer' }, text);
}
