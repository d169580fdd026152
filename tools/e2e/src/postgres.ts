import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PostgresServer {
  readonly url: string;
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

/** A throw-away Postgres on a unix socket and loopback, or undefined where it is not installed. */
export async function startPostgres(port: number): Promise<PostgresServer | undefined> {
  const bin = postgresBin();
  if (bin === undefined) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'dstack-pg-'));
  // Postgres refuses to run as root.
  const owner = process.getuid?.() === 0 ? postgresUser() : undefined;
  if (owner) chownSync(dir, owner.uid, owner.gid);
  const data = join(dir, 'data');
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'dstack', '--auth=trust', '-N'], { stdio: 'ignore', ...owner });
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', data, '-k', dir, '-p', String(port), '-h', '127.0.0.1', '-c', 'fsync=off'],
    {
      stdio: 'ignore',
      ...owner,
    },
  );
  for (let tries = 0; ; tries += 1) {
    try {
      execFileSync(
        join(bin, 'psql'),
        ['-h', dir, '-p', String(port), '-U', 'dstack', '-d', 'postgres', '-c', 'select 1'],
        {
          stdio: 'ignore',
        },
      );
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(100);
    }
  }
  return {
    url: `postgresql://dstack@127.0.0.1:${port}/postgres`,
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGINT');
      await gone;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function postgresUser(): { uid: number; gid: number } {
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
