import { spawn } from 'node:child_process';

export interface CommandOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly stdinFile?: number;
  readonly signal?: AbortSignal;
}

export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError';
}

const MAX_OUTPUT_BYTES = 64 * 1024;

/** Runs to the end and gives stdout. @throws {CommandFailedError} with the end of stderr. */
export function runCommand(file: string, args: readonly string[], options: CommandOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: [options.stdinFile ?? 'ignore', 'pipe', 'pipe'],
      ...(options.owner === undefined ? {} : { uid: options.owner.uid, gid: options.owner.gid }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout = (stdout + chunk.toString()).slice(-MAX_OUTPUT_BYTES)));
    child.stderr?.on('data', (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-MAX_OUTPUT_BYTES)));
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve(stdout);
      else {
        const how = signal === null ? `exited with ${code ?? 'no'} status` : `was killed by ${signal}`;
        reject(new CommandFailedError(`${file} ${args[0] ?? ''} ${how}: ${stderr.trim().slice(-2000)}`));
      }
    });
  });
}
