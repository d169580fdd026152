import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024;

export interface GitOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly timeoutMs?: number;
}

/** Output of a git command as bytes. @throws when git fails; `stderr` is on the error */
export async function gitBytes(args: readonly string[], options: GitOptions): Promise<Buffer> {
  const { stdout } = await run('git', [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env, LC_ALL: 'C' },
    encoding: 'buffer',
    maxBuffer: MAX_OUTPUT_BYTES,
    timeout: options.timeoutMs ?? 0,
  });
  return stdout;
}

export async function git(args: readonly string[], options: GitOptions): Promise<string> {
  return (await gitBytes(args, options)).toString('utf8').trim();
}

/** The output, or undefined when git fails. */
export function tryGit(args: readonly string[], options: GitOptions): Promise<string | undefined> {
  return git(args, options).catch(() => undefined);
}
