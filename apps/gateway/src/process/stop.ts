import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NginxProgram } from '../nginx/nginx-program.js';
import { removeAnswers } from '../nginx/kept-answers.js';
import type { GatewaySettings } from '../settings.js';
import { endOrphanTunnels } from '../tunnels/orphan-tunnels.js';
import { isOwnerAlive } from '../tunnels/tunnel-owner.js';
import { readPid } from './own-pid.js';

const ENDED_WITHIN_MS = 10_000;

/** Ends the program that serves the directory, and nginx with it. */
export async function stop({ dir, nginx }: GatewaySettings): Promise<void> {
  const pid = await readPid(dir);
  if (pid !== null) process.kill(pid, 'SIGTERM');
  // The program that watches over nginx first.
  const deadline = performance.now() + ENDED_WITHIN_MS;
  while ((await readPid(dir)) !== null && performance.now() < deadline) await sleep(20);
  const program = new NginxProgram(nginx, join(dir, 'nginx'));
  await program.signal('SIGTERM');
  while ((await program.pid()) !== null && performance.now() < deadline) await sleep(20);
  await endOrphanTunnels({ directory: join(dir, 'run'), isAlive: isOwnerAlive, areSpared: false });
  await removeAnswers(dir);
}
