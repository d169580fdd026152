import type { CatalogRow, CatalogType } from '../catalog-row.js';

const keys = new WeakMap<CatalogType, string>();

/** Several types share a name: sizes of a flexible shape, numbers of GPUs. */
export function typeKey(type: CatalogType): string {
  const known = keys.get(type);
  if (known !== undefined) return known;
  const { name, cpus, memoryMib, gpu, flags } = type;
  // Of preemptible machines the mark says again what `isSpot` does.
  const marks = flags.filter((flag) => flag !== 'oci-spot').join('+');
  const key = [name, cpus, memoryMib, gpu?.name, gpu?.count, marks].join(' ');
  keys.set(type, key);
  return key;
}

export function rowKey({ type, location, isSpot }: CatalogRow): string {
  return `${typeKey(type)} ${location} ${isSpot ? 'spot' : ''}`;
}
