import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../errors/has-code.js';
import { messageOf } from '../errors/message-of.js';
import { STANDARD_PERMISSIONS } from '../settings/default-permissions.js';
import type { ServerSettings } from '../settings/settings.js';
import { ConfigFileError, type ConfigFile } from './config-file.js';
import { parseConfigFile } from './parse-config-file.js';

const NOTHING: ConfigFile = { projects: [], encryptionKeys: [], permissions: STANDARD_PERMISSIONS, plugins: [] };

/** It lists no project: those that are listed lose the backends that are not, and some may be configured otherwise. */
const TEMPLATE = `# The configuration of this server. Read when it starts.
# projects:
#   - name: main
#     backends: # these and no others
#       - type: local
`;

/** A missing file is written, unless told otherwise, so that there is a place to edit. `undefined`: nothing to apply. */
export async function loadConfigFile(
  settings: Pick<ServerSettings, 'serverDir' | 'configDisabled'>,
  { writesTemplate = true } = {},
): Promise<{ config: ConfigFile; path: string | undefined }> {
  if (settings.configDisabled) return { config: NOTHING, path: undefined };
  const path = join(settings.serverDir, 'config.yml');
  const bytes = await contentOf(path);
  if (bytes !== undefined) return { config: parseConfigFile(textOf(bytes, path), path), path };
  if (!writesTemplate) return { config: NOTHING, path: undefined };
  await writeFile(path, TEMPLATE, { mode: 0o600, flag: 'wx' });
  return { config: NOTHING, path: undefined };
}

async function contentOf(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw new ConfigFileError(`${path} cannot be read: ${messageOf(error)}`);
  }
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigFileError(`${path} is not UTF-8 text. Save it as UTF-8.`);
  }
}
