import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { dump, load } from 'js-yaml';
import { CliError } from '../errors/cli-error.js';
import { errorCode } from '../errors/error-code.js';
import { type ClientConfig, EMPTY_CLIENT_CONFIG, toClientConfig } from './client-config.js';

export function clientConfigPath(home: string): string {
  return join(home, '.dstack', 'config.yml');
}

/** @throws {CliError} when the file is there and cannot be understood: guessing would lose the user's tokens on the next write */
export async function readClientConfig(home: string): Promise<ClientConfig> {
  const path = clientConfigPath(home);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return EMPTY_CLIENT_CONFIG;
    throw new CliError(`Cannot read ${path}: ${String(error)}`, { hint: 'Check the permissions of the file.' });
  }
  try {
    return toClientConfig(load(text));
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new CliError(`${path} is no valid YAML: ${reason}`, {
      hint: 'Mend or remove the file, then run: dstack project add',
    });
  }
}

/** Replaces the file at once, readable by its owner only: it holds tokens. */
export async function writeClientConfig(home: string, config: ClientConfig): Promise<void> {
  const path = clientConfigPath(home);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, dump({ projects: config.projects.map((project) => ({ ...project })) }), { mode: 0o600 });
  await rename(temporary, path);
}
