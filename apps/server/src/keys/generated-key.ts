import { createSecretKey } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../errors/has-code.js';
import { DatabaseRefusedError } from '../persistence/errors.js';
import type { Random } from '../world/world.js';
import type { Key } from './keyring.js';

export const GENERATED_KEY_NAME = 'generated';

const path = (serverDir: string): string => join(serverDir, 'encryption.key');

/** The key this server once made for itself; undefined when it never did. */
export function readGeneratedKey(serverDir: string): Key | undefined {
  let text: string;
  try {
    text = readFileSync(path(serverDir), 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  const secret = Buffer.from(text.trim(), 'base64');
  if (secret.length !== 32)
    throw new DatabaseRefusedError(`${path(serverDir)} does not hold a key. Restore it from a backup.`);
  return { type: 'aes', name: GENERATED_KEY_NAME, secret: createSecretKey(secret) };
}

export function writeGeneratedKey(serverDir: string, random: Random): Key {
  const secret = random.bytes(32);
  writeFileSync(path(serverDir), `${secret.toString('base64')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  return { type: 'aes', name: GENERATED_KEY_NAME, secret: createSecretKey(secret) };
}
