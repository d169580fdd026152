import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import type { BackendConfig } from '../backends/backend-store.js';
import { ClientError } from '../http/api-errors.js';

/** Where a backend's configuration may name a file, and which field takes its contents. */
const FILES = [
  { section: 'creds', file: 'filename', contents: 'data' },
  { section: 'creds', file: 'key_file', contents: 'key_content' },
  { section: 'kubeconfig', file: 'filename', contents: 'data' },
] as const;

/**
 * Only the server's own file may name files: from the API a name would read what whoever calls it must not see.
 * @throws {ClientError} that names the field and the file
 */
export async function readCredentialFiles(config: BackendConfig): Promise<BackendConfig> {
  let read = config;
  for (const { section, file, contents } of FILES) {
    const given = read[section];
    if (!isMapping(given)) continue;
    const name = given[file];
    if (typeof name !== 'string' || name === '' || (given[contents] ?? null) !== null) continue;
    read = { ...read, [section]: { ...given, [contents]: await contentsOf(name, `${section}.${file}`) } };
  }
  return read;
}

async function contentsOf(name: string, field: string): Promise<string> {
  const path = resolve(name.replace(/^~(?=\/)/, homedir()));
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new ClientError(`${field}: ${path} cannot be read: ${error instanceof Error ? error.message : ''}`);
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
