import { ConfigurationError } from '../configuration/configuration-error.js';
import { semanticIssue } from '../configuration/issue.js';
import { runSchema } from '../configuration/schema/run-schema.js';
import { once } from '../configuration/schema/once.js';
import type * as Wire from '../wire/generated/api.js';
import type { ProfilesFile } from './parse-profiles.js';
import { profileSchema } from './profile-parameters.js';

const schema = once(profileSchema);

export interface ProfileChoice {
  /** `--profile` */
  readonly name?: string;
  /** `--no-profile` */
  readonly none?: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project's file, then the one in the home directory; those that exist. */
  readonly files: readonly ProfilesFile[];
}

/** The profile a command uses. @throws {ConfigurationError} when the one asked for does not exist. */
export function selectProfile({ name, none = false, env, files }: ProfileChoice): Wire.Profile {
  if (none) return emptyProfile('no-profile');
  if (name !== undefined) return named(name, files);
  if (isOn(env['DSTACK_NO_PROFILE'])) return emptyProfile('no-profile');
  const fromEnv = env['DSTACK_PROFILE'];
  if (fromEnv !== undefined && fromEnv !== '') return named(fromEnv, files, ', which DSTACK_PROFILE asks for');
  return defaultProfile(files);
}

/** What fleets always use: they take no profile by name. */
export function defaultProfile(files: readonly ProfilesFile[]): Wire.Profile {
  for (const { profiles } of files) {
    const found = profiles.find((profile) => profile.default === true);
    if (found !== undefined) return found;
  }
  return emptyProfile('default');
}

export function emptyProfile(name: string): Wire.Profile {
  const parsed = runSchema(schema(), { name });
  if (!parsed.ok) throw new ConfigurationError(parsed.issues);
  return parsed.value;
}

function named(name: string, files: readonly ProfilesFile[], asked = ''): Wire.Profile {
  for (const { profiles } of files) {
    const found = profiles.find((profile) => profile.name === name);
    if (found !== undefined) return found;
  }
  const known = [...new Set(files.flatMap(({ profiles }) => profiles.map((profile) => profile.name ?? '')))].filter(
    (known_) => known_ !== '',
  );
  const hint =
    known.length === 0 ? 'there are no profiles in .dstack/profiles.yml' : `known profiles: ${known.join(', ')}`;
  throw new ConfigurationError([semanticIssue([], `No such profile: ${name}${asked} (${hint})`)]);
}

function isOn(value: string | undefined): boolean {
  const word = value?.trim().toLowerCase() ?? '';
  if (['1', 'true', 'on', 'yes'].includes(word)) return true;
  if (['', '0', 'false', 'off', 'no'].includes(word)) return false;
  throw new ConfigurationError([semanticIssue([], 'DSTACK_NO_PROFILE must be one of 1, true, on, 0, false, off')]);
}
