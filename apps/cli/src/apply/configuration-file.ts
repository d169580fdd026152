import { readFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { CliError } from '../errors/cli-error.js';
import { errorCode } from '../errors/error-code.js';

export interface ConfigurationText {
  /** As the user knows it, for messages. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Sent to the server: relative to the working directory, `-` for standard input. */
  readonly path: string;
  /** Relative paths inside are relative to this. */
  readonly directory: string;
}

const DEFAULTS = ['.dstack.yml', '.dstack.yaml'];

/** Reads `-f FILE`, standard input (`-`), or the default file of the directory. @throws {CliError} */
export async function readConfigurationFile(file: string | undefined, cwd: string): Promise<ConfigurationText> {
  if (file === '-') {
    const chunks: Uint8Array[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
    return { name: '<stdin>', bytes: Buffer.concat(chunks), path: '-', directory: cwd };
  }
  for (const name of file === undefined ? DEFAULTS : [file]) {
    const full = resolve(cwd, name);
    try {
      const bytes = await readFile(full);
      return { name, bytes, path: relative(cwd, full), directory: dirname(full) };
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT' && file === undefined) continue;
      const reason =
        code === 'ENOENT'
          ? 'does not exist'
          : code === 'EISDIR'
            ? 'is a directory'
            : `cannot be read (${String(code)})`;
      throw new CliError(`Configuration file ${name} ${reason}.`, { hint: 'Pass one with -f FILE.', cause: error });
    }
  }
  throw new CliError('There is no .dstack.yml here.', { hint: 'Pass a configuration file: dstack apply -f FILE' });
}
