import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dump, load, loadAll } from 'js-yaml';
import { CliError } from '../errors/cli-error.js';
import { errorCode } from '../errors/error-code.js';
import { changeFile } from '../files/change-file.js';
import { type ClientConfig, EMPTY_CLIENT_CONFIG, toClientConfig } from './client-config.js';

const MEND = 'Mend or remove the file, then run: dstack project add';

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
  return toClientConfig(parse(text, path));
}

/**
 * What is written by two commands at a time is written one after the other: `change` gets what is in the file by then. What else is in the
 * file stays. It is readable by its owner only: it holds tokens.
 * @throws {CliError} when the file cannot be understood
 */
export async function changeClientConfig(home: string, change: (config: ClientConfig) => ClientConfig): Promise<void> {
  const path = clientConfigPath(home);
  await changeFile(path, (text) => {
    const document = parse(text, path);
    const { projects } = change(toClientConfig(document));
    return dump({ ...document, projects: projects.map((project) => ({ ...project })) });
  });
}

function parse(text: string, path: string): object {
  try {
    // The parser takes a file with nothing, or with comments only, for a mistake.
    const document = loadAll(text).length === 0 ? {} : (load(text) ?? {});
    if (typeof document === 'object' && !Array.isArray(document)) return document;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new CliError(`${path} is no valid YAML: ${reason}`, { hint: MEND });
  }
  throw new CliError(`${path} is no configuration of the CLI.`, { hint: MEND });
}
