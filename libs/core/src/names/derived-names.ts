import type { Random } from './generated-name.js';
import { RESOURCE_NAME_PATTERN } from './name-rules.js';

export function jobName(runName: string, jobNum: number, replicaNum: number): string {
  return `${runName}-${jobNum}-${replicaNum}`;
}

export function instanceName(fleetName: string, instanceNum: number): string {
  return `${fleetName}-${instanceNum}`;
}

/** The lowest number ≥ 0 that no live member uses. */
export function lowestFreeNumber(used: Iterable<number>): number {
  const taken = new Set(used);
  let n = 0;
  while (taken.has(n)) n += 1;
  return n;
}

const SUFFIX_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const SUFFIX_LENGTH = 8;

/**
 * The name of a cloud resource: `dstack-<project>-<name>-<8 random>`. The suffix is always fresh, as several clouds
 * refuse a name that was deleted a moment ago; it survives the cut to `maxLength`.
 */
export function cloudName(parts: { project: string; name: string }, random: Random, maxLength = 60): string {
  const project = RESOURCE_NAME_PATTERN.test(parts.project) ? `${parts.project}-` : '';
  const prefix = `dstack-${project}${parts.name}`.slice(0, maxLength - SUFFIX_LENGTH - 1).replace(/-+$/, '');
  return `${prefix}-${randomSuffix(random)}`;
}

/**
 * The name of a gateway's load balancer: the same whenever it is asked for, so that one whose creation was never answered is found.
 * AWS allows 32 letters, digits and hyphens.
 */
export function balancerName(gateway: { readonly id: string; readonly name: string }): string {
  const readable = gateway.name.replace(/[^a-z0-9-]/g, '').slice(0, 12).replace(/-+$/, ''); // prettier-ignore
  return `dstack-${readable}-${gateway.id.replaceAll('-', '').slice(0, 12)}`;
}

function randomSuffix(random: Random): string {
  let suffix = '';
  while (suffix.length < SUFFIX_LENGTH) suffix += SUFFIX_ALPHABET.charAt(Math.floor(random() * SUFFIX_ALPHABET.length));
  return suffix;
}
