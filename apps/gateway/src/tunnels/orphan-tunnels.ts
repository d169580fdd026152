import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openConnections } from './open-connections.js';
import { secretsOf, socketsOf } from './tunnel-yard.js';

export interface Orphans {
  /** Of the gateway's sockets. */
  readonly directory: string;
  /** Whether the program with these tunnels is still there. */
  readonly isAlive: (owner: string) => Promise<boolean>;
  /** What still goes through them goes on. */
  readonly areSpared: boolean;
}

/** Ends the tunnels of programs that were killed, and removes what is left of them. */
export async function endOrphanTunnels({ directory, isAlive, areSpared }: Orphans): Promise<void> {
  const [sockets, secrets] = [socketsOf(directory), secretsOf(directory)];
  const files = [...(await namesIn(sockets)), ...(await namesIn(secrets))];
  const left = new Map<string, boolean>();
  for (const file of files) {
    const [name = ''] = file.split('.');
    const owner = name.replace(/-[0-9a-z]+$/, '');
    if (!left.has(name)) left.set(name, await isAlive(owner));
  }
  const orphans = [...left].flatMap(([name, hasOwner]) => (hasOwner ? [] : [name]));
  if (orphans.length === 0) return;
  const connections = await openConnections();
  const pids = await tunnelProcesses(secrets);
  for (const name of orphans) {
    const running = pids.get(name) ?? [];
    const isBusy = (connections.get(join(sockets, `${name}.n`)) ?? 0) > 0;
    if (areSpared && running.length > 0 && isBusy) continue;
    for (const pid of running) process.kill(pid, 'SIGTERM');
    for (const path of [join(sockets, `${name}.n`), join(sockets, `${name}.s`), join(secrets, name)])
      await rm(path, { recursive: true, force: true });
  }
}

/** By the name of the tunnel: its process, and those that lead it through jump hosts. */
async function tunnelProcesses(secrets: string): Promise<ReadonlyMap<string, number[]>> {
  const found = new Map<string, number[]>();
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    const config = command.split('\0').find((word) => word.startsWith(`${secrets}/`) && word.endsWith('/config'));
    if (config === undefined || !command.includes('\0-F\0')) continue;
    const name = config.slice(secrets.length + 1, -'/config'.length);
    found.set(name, [...(found.get(name) ?? []), Number(pid)]);
  }
  return found;
}

async function namesIn(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
