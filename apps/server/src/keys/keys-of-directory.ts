import { loadConfigFile } from '../config-file/load-config-file.js';
import type { ServerSettings } from '../settings/settings.js';
import type { World } from '../world/world.js';
import { readGeneratedKey } from './generated-key.js';
import { Keyring } from './keyring.js';

/** The keys that a server started here would have, the first one first. Makes none. */
export async function keysOfDirectory(
  settings: Pick<ServerSettings, 'serverDir' | 'configDisabled'>,
  { random }: Pick<World, 'random'>,
): Promise<Keyring> {
  const { config } = await loadConfigFile(settings, { writesTemplate: false });
  const generated = readGeneratedKey(settings.serverDir);
  return new Keyring([...config.encryptionKeys, ...(generated === undefined ? [] : [generated])], random);
}
