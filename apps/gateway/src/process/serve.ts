import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ControlServer, type Controlled } from '../control/control-server.js';
import { listenAt } from '../files/listen-at.js';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { Gateway } from '../gateway.js';
import { workerUser } from '../nginx/worker-user.js';
import { type GatewaySettings, LONGEST_DIR } from '../settings.js';
import { formerTraffic } from './former-traffic.js';
import { readPid, writePid } from './own-pid.js';

export const CONTROL_SOCKET = 'gateway.sock';
/** Says to a program that another one has taken over. */
const TAKEN_OVER = 'SIGUSR2';
/** Streams end by then, or are ended. */
const LONGEST_FAREWELL_MS = 3_600_000;

/** Serves until it is told to end. Where another program serves the directory, it is relieved: nothing that is under way there is broken off. */
export async function serve(settings: GatewaySettings): Promise<void> {
  const { dir, socketUser } = settings;
  if (Buffer.byteLength(dir) > LONGEST_DIR) throw new Error(`--dir is longer than ${LONGEST_DIR} bytes: ${dir}`);
  // Others pass through it to sockets of theirs, and read nothing.
  await mkdir(dir, { recursive: true, mode: 0o711 });
  await chmod(dir, 0o711);
  const before = await readPid(dir);
  const former = before === null ? {} : await formerTraffic(join(dir, CONTROL_SOCKET));
  const ready = Promise.withResolvers<Controlled>();
  const control = new ControlServer(ready.promise);
  // From here on the server speaks to this program, so nothing that it says is lost.
  await listenAt(control.server, join(dir, CONTROL_SOCKET), { user: socketUser, group: null }, process.pid);
  const ending = untilToldToEnd();
  const gateway = new Gateway({ settings, gatewayId: await gatewayId(dir), workers: await workerUser(), former });
  await gateway.start();
  await writePid(dir);
  if (before !== null && before !== process.pid) tell(before, TAKEN_OVER);
  ready.resolve(gateway);
  await ending;
  setTimeout(() => process.exit(0), LONGEST_FAREWELL_MS).unref();
  await Promise.all([control.close(), gateway.handOver()]);
}

function untilToldToEnd(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0));
    process.once(TAKEN_OVER, () => resolve());
    // A closed terminal is no reason to leave services alone.
    process.on('SIGHUP', () => undefined);
  });
}

function tell(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}

async function gatewayId(dir: string): Promise<string> {
  const path = join(dir, 'gateway-id');
  const known = await readFile(path, 'utf8').catch(() => '');
  if (known.trim() !== '') return known.trim();
  const made = randomUUID();
  await writeFileAtomically(path, `${made}\n`);
  return made;
}
