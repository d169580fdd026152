import { execFile } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { promisify } from 'node:util';

/** What discovery may ask of a host. */
export interface HostProbe {
  exists(path: string): boolean;
  readText(path: string): string | undefined;
  /** Where a chain of links ends; undefined when it does not exist. */
  realPath(path: string): string | undefined;
  /** Gives stdout. @throws {ToolFailedError} */
  run(file: string, args: readonly string[], timeoutMs: number): Promise<string>;
}

/** Tools say on either stream why they fail. */
export class ToolFailedError extends Error {
  override readonly name = 'ToolFailedError';
  constructor(
    message: string,
    readonly stdout: string,
  ) {
    super(message);
  }
}

const run = promisify(execFile);

export const hostProbe: HostProbe = {
  exists: existsSync,
  readText: (path) => quietly(() => readFileSync(path, 'utf8').trim()),
  realPath: (path) => quietly(() => realpathSync(path)),
  run: async (file, args, timeoutMs) => {
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: 16 * 1024 * 1024 } as const;
    try {
      return (await run(file, [...args], options)).stdout;
    } catch (error) {
      throw toolError(file, error, timeoutMs);
    }
  },
};

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function toolError(file: string, error: unknown, timeoutMs: number): ToolFailedError {
  const {
    stdout = '',
    stderr = '',
    killed = false,
    message = String(error),
  } = error as Partial<Record<'stdout' | 'stderr' | 'message', string>> & { killed?: boolean };
  if (killed) return new ToolFailedError(`${file} did not end within ${timeoutMs / 1000} s`, stdout);
  return new ToolFailedError(stderr.trim() || stdout.trim() || message, stdout);
}
