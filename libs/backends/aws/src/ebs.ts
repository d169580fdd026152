import type { Volume } from '@aws-sdk/client-ec2';
import type { CloudVolume, ListedVolume, VolumeConfiguration } from '@dstack/backend-base';
import { OWNER_TAG, TOKEN_TAG } from './machine-state.js';

/** Sets volumes apart from the disks that machines come with, which carry the tags of their machine. */
export const KIND_TAG = 'dstack_kind';
export const VOLUME_KIND = 'volume';

const USD_PER_GB_MONTH = 0.08;
const USD_PER_IOPS_MONTH = 0.005;
const IOPS_INCLUDED = 3000;

/** Prices of us-east-1. */
export function monthlyPriceUsd(sizeGb: number, iops: number): number {
  const price = USD_PER_GB_MONTH * sizeGb + USD_PER_IOPS_MONTH * Math.max(0, iops - IOPS_INCLUDED);
  return Math.round(price * 10_000) / 10_000;
}

export function toCloudVolume(volume: Volume, region: string): CloudVolume {
  const sizeGb = volume.Size ?? 0;
  return {
    volumeId: volume.VolumeId ?? '',
    sizeGb,
    zone: volume.AvailabilityZone ?? null,
    priceUsdPerMonth: monthlyPriceUsd(sizeGb, volume.Iops ?? IOPS_INCLUDED),
    attachable: true,
    backendData: JSON.stringify({ region } satisfies VolumeData),
  };
}

export function toListedVolume(volume: Volume, region: string): ListedVolume {
  const tag = (key: string): string | null => volume.Tags?.find((each) => each.Key === key)?.Value ?? null;
  return { ...toCloudVolume(volume, region), cloudName: tag('Name'), token: tag(TOKEN_TAG) };
}

interface VolumeData {
  readonly region: string;
}

/** Lenient: a zone's name begins with its region's. */
export function regionOf({ backendData, zone }: CloudVolume): string {
  try {
    const { region } = JSON.parse(backendData ?? '{}') as Partial<VolumeData>;
    if (typeof region === 'string') return region;
  } catch {
    // Not ours, or of another version.
  }
  return /^[a-z]+(-[a-z]+)+-\d+/.exec(zone ?? '')?.[0] ?? '';
}

/** What a configuration adds comes first and loses. */
export function volumeTags(
  request: {
    readonly configuration: VolumeConfiguration;
    readonly token: string;
    readonly cloudName: string;
    readonly owner: string;
  },
  configured: Readonly<Record<string, string>>,
): Record<string, string> {
  const { configuration, token, cloudName, owner } = request;
  return {
    ...configuration.tags,
    ...configured,
    Name: cloudName,
    owner: 'dstack',
    ...(configuration.name ? { dstack_name: configuration.name } : {}),
    [OWNER_TAG]: owner,
    [TOKEN_TAG]: token,
    [KIND_TAG]: VOLUME_KIND,
  };
}

/** What EC2 recommends for data; the guest may name them otherwise. */
const DEVICES = ['f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n'].map((letter) => `/dev/sd${letter}`);

export function freeDevices(taken: readonly string[]): string[] {
  return DEVICES.filter((device) => !taken.includes(device));
}
