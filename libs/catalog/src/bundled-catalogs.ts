import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { Catalog } from './catalog.js';
import { decodeCatalog } from './catalog-file.js';

const DIRECTORY = new URL('../data/', import.meta.url);
const SUFFIX = '.catalog';

const loaded = new Map<string, Catalog>();

/** The clouds this package brings prices of. */
export function bundledClouds(): string[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => basename(file, SUFFIX))
    .sort();
}

/** Read when first asked for, then kept. @throws when the package has none of this cloud */
export function bundledCatalog(cloud: string): Catalog {
  const known = loaded.get(cloud);
  if (known !== undefined) return known;
  const catalog = new Catalog(decodeCatalog(readFileSync(new URL(`${cloud}${SUFFIX}`, DIRECTORY))));
  loaded.set(cloud, catalog);
  return catalog;
}
