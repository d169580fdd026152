import type { Wire } from '@dstack/core';
import { UsageError } from '../errors/cli-error.js';

/** By name, fingerprint or id. @throws {UsageError} when it is none of them, or several have the name */
export function chosenKey(keys: readonly Wire.PublicKeyInfo[], text: string): Wire.PublicKeyInfo {
  const exact = keys.find(({ id, fingerprint }) => id === text || fingerprint === text);
  if (exact !== undefined) return exact;
  const [found, ...others] = keys.filter(({ name }) => name === text);
  if (found === undefined) throw new UsageError(`You have no key ${text}.`, 'See them: dstack ssh-key');
  if (others.length === 0) return found;
  const fingerprints = [found, ...others].map(({ fingerprint }) => fingerprint);
  throw new UsageError(`Several keys are called ${text}.`, `Name one by its fingerprint: ${fingerprints.join(', ')}`);
}
