import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseProfilesText, type ProfilesFile, selectProfile, type Wire } from '@dstack/core';

export interface ProfileFlags {
  readonly profile: string | undefined;
  readonly noProfile: boolean;
}

/** The profile a run is applied with: the project's file, then the user's. @throws {ConfigurationError} */
export async function loadProfile(
  flags: ProfileFlags,
  where: { cwd: string; home: string; env: NodeJS.ProcessEnv },
): Promise<Wire.Profile> {
  return selectProfile({
    ...(flags.profile === undefined ? {} : { name: flags.profile }),
    none: flags.noProfile,
    env: where.env,
    files: await readProfileFiles(where),
  });
}

export async function readProfileFiles({ cwd, home }: { cwd: string; home: string }): Promise<ProfilesFile[]> {
  const found: ProfilesFile[] = [];
  for (const directory of new Set([join(cwd, '.dstack'), join(home, '.dstack')]))
    for (const name of ['profiles.yml', 'profiles.yaml']) {
      const file = join(directory, name);
      const bytes = await readFile(file).catch(() => undefined);
      if (bytes === undefined) continue;
      found.push(parseProfilesText(bytes, { file }).configuration);
      break;
    }
  return found;
}
