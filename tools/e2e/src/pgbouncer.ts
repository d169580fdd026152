import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './until.js';

export interface Pooler {
  readonly url: string;
  stop(): void;
}

const PROGRAM = '/usr/sbin/pgbouncer';

/** PgBouncer in transaction mode before a Postgres of the tests; undefined where it is not installed. */
export async function startPooler(postgresPort: number, port: number): Promise<Pooler | undefined> {
  if (!existsSync(PROGRAM)) return undefined;
  const dir = mkdtempSync(join(tmpdir(), 'dstack-pooler-'));
  const file = join(dir, 'pgbouncer.ini');
  const lines = [
    '[databases]',
    `postgres = host=127.0.0.1 port=${postgresPort} user=dstack`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    'pool_mode = transaction',
    'default_pool_size = 10',
    'max_client_conn = 300',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  // It refuses to run as root.
  const id = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  const owner = process.getuid?.() === 0 ? { uid: id('-u'), gid: id('-g') } : undefined;
  if (owner !== undefined) for (const path of [dir, file]) chownSync(path, owner.uid, owner.gid);
  const child: ChildProcess = spawn(PROGRAM, [file], { stdio: 'ignore', ...owner });
  const url = `postgresql://dstack@127.0.0.1:${port}/postgres`;
  const answers = async (): Promise<boolean> => {
    try {
      execFileSync('psql', [url, '-c', 'select 1'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  };
  await until('PgBouncer to answer', answers);
  return {
    url,
    stop: () => {
      child.kill('SIGKILL');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
