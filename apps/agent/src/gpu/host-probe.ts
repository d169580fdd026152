import { execFile } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { promisify } from 'node:util';

/** What discovery may ask of a host. */
export interface HostProbe {
  exists(path: string): boolean;
  readText(path: string): string | undefined;
  /** Where a chain of links ends; undefined when it does not exist. */
  realPath(path: string): string | undefined;
  /** Gives stdout. @throws with the exit status or why it could not run. */
  run(file: string, args: readonly string[], timeoutMs: number): Promise<string>;
}

const run = promisify(execFile);

export const hostProbe: HostProbe = {
  exists: existsSync,
  readText: (path) => quietly(() => readFileSync(path, 'utf8').trim()),
  realPath: (path) => quietly(() => realpathSync(path)),
  run: async (file, args, timeoutMs) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    const { stdout } = await run(file, [...args], options);
    return stdout;
  },
};

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
