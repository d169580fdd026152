import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGatewayClient } from '@dstack/gateway-protocol';
import type { GatewaySettings } from '../settings.js';
import { selfCommand } from './self-command.js';
import { CONTROL_SOCKET } from './serve.js';

const STARTED_WITHIN_MS = 60_000;
const LONGEST_LOG_BYTES = 16 * 1024 * 1024;

/** Starts a program that serves, in place of the one that does now, and resolves when it does. @throws with what it said last */
export async function start({ dir }: GatewaySettings, flags: readonly string[]): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o711 });
  const log = join(dir, 'gateway.log');
  const size = await stat(log).then(
    (found) => found.size,
    () => 0,
  );
  if (size > LONGEST_LOG_BYTES) await rename(log, `${log}.1`);
  const startedAt = Date.now();
  const out = await open(log, 'a', 0o600);
  const [program = '', ...args] = [...selfCommand(), 'serve', ...flags];
  const child = spawn(program, args, { detached: true, stdio: ['ignore', out.fd, out.fd], cwd: '/' });
  await out.close();
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code ?? 'nothing'}`));
  });
  const serving = untilServing(join(dir, CONTROL_SOCKET), startedAt);
  const failure = await Promise.race([serving, ended]);
  if (failure === null) return void child.unref();
  const said = (await readFile(log, 'utf8').catch(() => '')).slice(-2_000);
  throw new Error(`the gateway does not start: ${failure}\n${said}`);
}

/** Null: a program that was started since then answers. */
async function untilServing(socketPath: string, since: number): Promise<string | null> {
  const client = createGatewayClient({ connect: socketPath, deadlineMs: STARTED_WITHIN_MS });
  const signal = AbortSignal.timeout(STARTED_WITHIN_MS);
  while (!signal.aborted) {
    const info = await client.info(signal).catch(() => null);
    if (info !== null && info.startedAt >= since) return null;
    await sleep(50);
  }
  return `it does not answer within ${STARTED_WITHIN_MS / 1000} s`;
}
