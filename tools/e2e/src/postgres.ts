import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PostgresServer {
  readonly port: number;
  /** Of the process that starts one for each connection. */
  readonly pid: number;
  readonly url: string;
  /** The same database by another port that leads there. */
  readonly urlAt: (port: number) => string;
  /** One statement as the administrator; a line a row, columns divided by `|`. */
  ask(sql: string): string[];
  /** Ends it as an administrator would, or as a crash does, and starts it again; resolves when it answers. */
  restart(how: 'fast' | 'immediate'): Promise<void>;
  stop(): Promise<void>;
}

/** Debian keeps the server programs out of PATH. */
function postgresBin(): string | undefined {
  const base = '/usr/lib/postgresql';
  try {
    const version = readdirSync(base).sort((a, b) => Number(b) - Number(a))[0];
    return version === undefined ? undefined : join(base, version, 'bin');
  } catch {
    return undefined;
  }
}

/**
 * A throw-away Postgres on a unix socket and loopback, or undefined where it is not installed.
 * @param options.waitsForDisk as in production; for tests it is only slow
 */
export async function startPostgres(
  port: number,
  { waitsForDisk = false }: { readonly waitsForDisk?: boolean } = {},
): Promise<PostgresServer | undefined> {
  const bin = postgresBin();
  if (bin === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'dstack-pg-'));
  // Postgres refuses to run as root.
  const owner = process.getuid?.() === 0 ? postgresUser() : undefined;
  if (owner) chownSync(dir, owner.uid, owner.gid);
  const data = join(dir, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'dstack', '--auth=trust', '-N'], { stdio: 'ignore', ...owner });
  const start = async (): Promise<ChildProcess> => {
    const options = [
      '-D',
      data,
      '-k',
      dir,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-c',
      `fsync=${waitsForDisk ? 'on' : 'off'}`,
      '-c',
      'max_connections=400',
    ];
    const child = spawn(join(bin, 'postgres'), options, { stdio: 'ignore', ...owner });
    const ask = ['-h', dir, '-p', String(port), '-U', 'dstack', '-d', 'postgres', '-c', 'select 1'];
    for (let tries = 0; ; tries += 1) {
      try {
        execFileSync(join(bin, 'psql'), ask, { stdio: 'ignore' });
        return child;
      } catch (error) {
        if (tries > 100) throw error;
        await sleep(100);
      }
    }
  };
  const urlAt = (place: number): string => `postgresql://dstack@127.0.0.1:${place}/postgres`;
  let child = await start();
  const end = async (how: 'fast' | 'immediate'): Promise<void> => {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
    await gone;
  };
  return {
    port,
    get pid() {
      return child.pid ?? Number.NaN;
    },
    url: urlAt(port),
    urlAt,
    ask: (sql) => {
      const args = ['-h', dir, '-p', String(port), '-U', 'dstack', '-d', 'postgres', '-XAtc', sql];
      const rows = execFileSync(join(bin, 'psql'), args, { encoding: 'utf8' }).split('\n');
      return rows.filter((row) => row !== '');
    },
    restart: async (how) => {
      await end(how);
      child = await start();
    },
    stop: async () => {
      await end('fast');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function postgresUser(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
