import type { VolumeLocation } from '../offers/offer-filters.js';
import type { InternalBackendType } from '../wire/internal-values.js';
import type { NetworkMount } from './network-mounts.js';
import type { VolumeFact, VolumesByName } from './volume-fact.js';

/** Whether the volumes of a job can be had now, and where it has to be for them. */
export type VolumeAvailability =
  | { readonly kind: 'free'; readonly locations: readonly VolumeLocation[] | null }
  /** It passes by itself: a volume is being made, or taken from another machine. */
  | { readonly kind: 'wait'; readonly because: string }
  | { readonly kind: 'refused'; readonly because: string };

export function availabilityOf(mounts: readonly NetworkMount[], volumes: VolumesByName): VolumeAvailability {
  if (mounts.length === 0) return { kind: 'free', locations: null };
  for (const mount of mounts) {
    const known = knownOf(mount, volumes);
    if (known.some(isFree)) continue;
    const because = mount.names.map((name) => whyNotFree(name, volumes.get(name))).join('; ');
    return known.some(willBeFree) ? { kind: 'wait', because } : { kind: 'refused', because };
  }
  const locations = jointLocations(mounts.map((mount) => knownOf(mount, volumes).filter(isFree)));
  if (locations.length > 0) return { kind: 'free', locations };
  const names = mounts.flatMap((mount) => mount.names).join(', ');
  return { kind: 'refused', because: `volumes ${names} are in different zones: no machine can have all of them` };
}

/** Where a job has to be for its volumes, whoever has them now; null: anywhere. */
export function placesOf(mounts: readonly NetworkMount[], volumes: VolumesByName): readonly VolumeLocation[] | null {
  return mounts.length === 0 ? null : jointLocations(mounts.map((mount) => knownOf(mount, volumes)));
}

export interface MountedVolume {
  readonly volume: VolumeFact;
  readonly path: string;
}

export interface VolumePlace {
  readonly backend: InternalBackendType;
  readonly region: string;
  /** Null: nobody knows. */
  readonly zones: readonly string[] | null;
}

/** One volume for each mount, all of them where a machine at the place can have them; null: there are none (any more). */
export function volumesAt(
  mounts: readonly NetworkMount[],
  volumes: VolumesByName,
  place: VolumePlace,
): MountedVolume[] | null {
  const free = mounts.map((mount) => knownOf(mount, volumes).filter(isFree));
  const location = jointLocations(free).find((at) => isAt(at, place));
  if (location === undefined) return mounts.length === 0 ? [] : null;
  return mounts.flatMap(({ path }, index) => {
    const volume = free[index]?.find((each) => merged(locationOf(each), location) !== null);
    return volume === undefined ? [] : [{ volume, path }];
  });
}

function isAt(location: VolumeLocation, { backend, region, zones }: VolumePlace): boolean {
  const isRegion = location.backend === backend && isSameRegion(location.region, region);
  return isRegion && (location.zone === null || zones === null || zones.includes(location.zone));
}

/** The places at which each of the mounts has one of its volumes. */
function jointLocations(mounts: readonly (readonly VolumeFact[])[]): VolumeLocation[] {
  const [first = [], ...others] = mounts.map((volumes) => volumes.map(locationOf));
  const joint = others.reduce<readonly VolumeLocation[]>(
    (places, more) => places.flatMap((place) => more.flatMap((each) => merged(place, each) ?? [])),
    first,
  );
  return [...new Map(joint.map((place) => [`${place.backend} ${place.region} ${place.zone ?? ''}`, place])).values()];
}

function merged(a: VolumeLocation, b: VolumeLocation): VolumeLocation | null {
  const isSame = a.backend === b.backend && isSameRegion(a.region, b.region);
  return isSame && (a.zone === null || b.zone === null || a.zone === b.zone) ? { ...a, zone: a.zone ?? b.zone } : null;
}

function isSameRegion(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function locationOf({ backend, region, zone }: VolumeFact): VolumeLocation {
  return { backend, region, zone };
}

function knownOf({ names }: NetworkMount, volumes: VolumesByName): VolumeFact[] {
  return names.flatMap((name) => volumes.get(name) ?? []);
}

function isFree({ status, deletionRequested, attachable, holders }: VolumeFact): boolean {
  return status === 'active' && !deletionRequested && (!attachable || holders.length === 0);
}

function willBeFree({ status, deletionRequested, holders }: VolumeFact): boolean {
  if (deletionRequested) return false;
  if (status === 'submitted' || status === 'provisioning') return true;
  return status === 'active' && holders.length > 0 && holders.every((holder) => holder.isLeaving);
}

function whyNotFree(name: string, volume: VolumeFact | undefined): string {
  if (volume === undefined) return `volume ${name} does not exist`;
  const { status, statusMessage, deletionRequested, holders } = volume;
  if (deletionRequested || status === 'deleting') return `volume ${name} is being deleted`;
  if (status === 'failed') return `volume ${name} failed${statusMessage === null ? '' : `: ${statusMessage}`}`;
  if (status !== 'active') return `volume ${name} is being created`;
  const holder = holders.find(({ isLeaving }) => !isLeaving) ?? holders[0];
  if (holder === undefined) return `volume ${name} is not free`;
  const { instanceName, runName, isLeaving } = holder;
  if (isLeaving) return `volume ${name} is being detached from ${instanceName}`;
  return `volume ${name} is used by ${runName === null ? 'a job' : `run ${runName}`} on ${instanceName}, and can be at one machine at a time`;
}
