import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../errors/has-code.js';
import { STANDARD_PERMISSIONS } from '../settings/default-permissions.js';
import type { ServerSettings } from '../settings/settings.js';
import type { ConfigFile } from './config-file.js';
import { parseConfigFile } from './parse-config-file.js';

const NOTHING: ConfigFile = { projects: [], encryptionKeys: [], permissions: STANDARD_PERMISSIONS };

const TEMPLATE = `# The configuration of this server. Read when it starts.
projects:
  - name: main
    # backends:
    #   - type: local
`;

/** A missing file is written, so that there is a place to edit. `undefined`: nothing to apply. */
export async function loadConfigFile(
  settings: Pick<ServerSettings, 'serverDir' | 'configDisabled'>,
): Promise<{ config: ConfigFile; path: string | undefined }> {
  if (settings.configDisabled) return { config: NOTHING, path: undefined };
  const path = join(settings.serverDir, 'config.yml');
  try {
    return { config: parseConfigFile(await readFile(path, 'utf8'), path), path };
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    await writeFile(path, TEMPLATE, { mode: 0o600, flag: 'wx' });
    return { config: NOTHING, path: undefined };
  }
}
