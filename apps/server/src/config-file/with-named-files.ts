import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { BackendConfig } from '../backends/backend-store.js';
import { hasCode } from '../errors/has-code.js';
import { ClientError } from '../http/api-errors.js';

/** Fields of backends that may name a file instead of holding its text. */
const FIELDS = ['creds', 'kubeconfig'] as const;

/** The server's own file may name files of its machine; what comes over the network holds their text. @throws {ClientError} */
export async function withNamedFiles(config: BackendConfig): Promise<BackendConfig> {
  const read: Record<string, unknown> = {};
  for (const field of FIELDS) {
    const value = config[field];
    if (typeof value !== 'object' || value === null || !('filename' in value) || 'data' in value) continue;
    if (typeof value.filename !== 'string' || value.filename === '') continue;
    read[field] = { ...value, data: await textOf(value.filename, `${config.type}: ${field}.filename`) };
  }
  return { ...config, ...read };
}

async function textOf(filename: string, where: string): Promise<string> {
  const path = resolve(filename.replace(/^~(?=\/)/, homedir()));
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const why = hasCode(error, 'ENOENT') ? `there is no file ${path}` : `${path} cannot be read`;
    throw new ClientError(`${where}: ${why}`);
  }
}
