import type { ServerSettings } from '../settings/settings.js';

/** Whose keys open a job and the way through its host: nobody's where the SSH proxy alone lets people in. */
export function keysOfPeople(
  keys: readonly (string | null | undefined)[],
  { sshProxy }: Pick<ServerSettings, 'sshProxy'>,
): string[] {
  return sshProxy?.isEnforced === true ? [] : keys.filter(isKey);
}

export function isKey(key: string | null | undefined): key is string {
  return typeof key === 'string' && key.trim() !== '';
}
