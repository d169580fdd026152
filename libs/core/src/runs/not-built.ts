import type * as Wire from '../wire/generated/api.js';

/**
 * Why a run that is understood and planned cannot be run by this version; null when it can. Refusing it beats running it without the
 * endpoint or the data it was written for.
 */
export function whyNotBuilt(configuration: Wire.RunSpec['configuration']): string | null {
  const volume = (configuration.volumes ?? []).find((mount) => 'name' in mount);
  if (volume !== undefined) {
    return `Network volumes are not built yet (${mountedNames(volume)}). Mount a directory of the host instead: /host/path:${volume.path}`;
  }
  return null;
}

function mountedNames(mount: Wire.VolumeMountPoint | Wire.InstanceMountPoint): string {
  if (!('name' in mount)) return mount.path;
  return Array.isArray(mount.name) ? mount.name.join(', ') : mount.name;
}
