import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface LocalPostgres {
  readonly url: string;
  stop(): Promise<void>;
}

/** The directory of the Postgres programs, where this machine has them. */
export function postgresBinaries(): string | undefined {
  const installed = ['18', '17', '16', '15', '14'].map((version) => `/usr/lib/postgresql/${version}/bin`);
  const onPath = (process.env['PATH'] ?? '').split(':');
  return [...installed, ...onPath].find((dir) => existsSync(join(dir, 'initdb')) && existsSync(join(dir, 'postgres')));
}

/** A Postgres of the test run's own: a temporary directory, a Unix socket, no TCP port. */
export async function startPostgres(binaries: string): Promise<LocalPostgres> {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-pg-'));
  const data = join(dir, 'data');
  // Postgres refuses to run as root; `nobody` owns the temporary directory then.
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? idsOf('nobody') : {};
  if (identity.uid !== undefined && identity.gid !== undefined) chownSync(dir, identity.uid, identity.gid);
  execFileSync(join(binaries, 'initdb'), ['-D', data, '-U', 'dstack', '-A', 'trust', '--no-sync', '-E', 'UTF8'], {
    stdio: 'ignore',
    cwd: dir,
    ...identity,
  });
  const server = spawn(
    join(binaries, 'postgres'),
    ['-D', data, '-k', dir, '-c', 'listen_addresses=', '-c', 'max_connections=200', '-c', 'fsync=off'],
    { stdio: 'ignore', cwd: dir, ...identity },
  );
  const url = `postgresql://dstack@localhost/postgres?host=${encodeURIComponent(dir)}`;
  await answering(url, server);
  return {
    url,
    stop: async () => {
      const exited = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT'); // fast shutdown: does not wait for clients
      await exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function idsOf(user: string): { uid?: number; gid?: number } {
  const id = (flag: string): number => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** It accepts connections before it answers queries: only an answer counts. */
async function answering(url: string, server: ChildProcess): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode} before it answered`);
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined); // told by connect
    try {
      await client.connect();
      await client.query('SELECT 1');
      return;
    } catch {
      await sleep(20);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
