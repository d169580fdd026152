import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { quarantineDatabase } from '../operations/backup/quarantine-database.js';
import { LitestreamError } from './litestream-error.js';
import type { Replica } from './replica.js';

/**
 * Brings the database back where there is none and the replica has one. What it brings starts in quarantine: the last seconds before the loss
 * are not in it, and machines may have come into being in them.
 * @param now Unix ms
 * @returns whether there was anything to bring
 * @throws {LitestreamError} when it cannot be told: a server that began anew would write over the replica
 */
export async function restoreReplica({ path, url, program, env }: Replica, now: number): Promise<boolean> {
  if (existsSync(path)) return false;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const { code, output } = await run(program, ['restore', '-if-replica-exists', '-o', path, url], env);
  if (code !== 0)
    throw new LitestreamError(
      `The database could not be restored from ${withoutSecrets(url)}: ${lastLine(output)}. Check LITESTREAM_REPLICA_URL and its credentials, or unset it to begin with an empty database.`,
    );
  if (!existsSync(path)) return false;
  quarantineDatabase(path, now);
  return true;
}

/** As it may stand in a log. */
export function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/@]*@/, (userinfo) => (userinfo.includes(':') ? '//…@' : userinfo)).replace(/\?.*$/, '');
}

function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (text: string): void => void (output = (output + text).slice(-10_000));
    child.stdout.setEncoding('utf8').on('data', collect);
    child.stderr.setEncoding('utf8').on('data', collect);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? '';
}
