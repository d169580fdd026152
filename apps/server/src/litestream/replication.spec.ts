import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteDriver } from '../persistence/sqlite-connection.js';
import { realWorld } from '../world/real-world.js';
import { replicaOf, type Replica } from './replica.js';
import { Replication } from './replication.js';
import { restoreReplica, withoutSecrets } from './restore-replica.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dstack-litestream-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** In place of Litestream, where only what the server makes of it matters. */
function stand(script: string): Replica {
  const program = join(dir, 'litestream');
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return { path: join(dir, 'sqlite.db'), url: 's3://bucket/db', program, env: { PATH: process.env['PATH'], DIR: dir } };
}

async function told(lines: string[], what: string): Promise<void> {
  while (!lines.some((line) => line.includes(what))) await new Promise((resolve) => setTimeout(resolve, 10));
}

function replicate(replica: Replica): { readonly replication: Replication; readonly lines: string[] } {
  const lines: string[] = [];
  const push = (line: string): void => void lines.push(line);
  const scheduler = { ...realWorld().scheduler, after: (ms: number, task: () => void) => realWorld().scheduler.after(ms / 20, task) }; // prettier-ignore
  return { replication: new Replication(replica, { scheduler, log: { log: push, warn: push, debug: push } }), lines };
}

it('starts Litestream again when it ends, and tells meanwhile', async () => {
  const { replication, lines } = replicate(
    stand('if [ -e $DIR/once ]; then echo going; exec sleep 60; fi; touch $DIR/once; echo no credentials >&2; exit 1'),
  );
  await replication.start();
  await told(lines, 'started again in 1 s: it ended with 1: no credentials');
  expect(replication.warning).toContain('is not being replicated to s3://bucket/db');
  await told(lines, 'going');
  await replication.stop();
});

it('ends what a killed server left running', async () => {
  const replica = stand('echo going; trap "touch $DIR/ended; exit" TERM; while :; do sleep 0.05; done');
  const killed = replicate(replica);
  await killed.replication.start();
  await told(killed.lines, 'going');
  const next = replicate(replica);
  await next.replication.start();
  expect(existsSync(join(dir, 'ended'))).toBe(true);
  await next.replication.stop();
  await killed.replication.stop();
});

it('brings a database back, in quarantine, only where there is none', async () => {
  const saved = join(dir, 'saved.db');
  const database = new sqliteDriver(saved);
  database.exec('CREATE TABLE installation (quarantine_until bigint); INSERT INTO installation VALUES (NULL)');
  database.close();
  const replica = stand('[ "$1 $2 $3" = "restore -if-replica-exists -o" ] && cp $DIR/saved.db $4');
  expect(await restoreReplica(replica, 1_000)).toBe(true);
  const restored = new sqliteDriver(replica.path);
  expect(restored.prepare('SELECT * FROM installation').all()).toEqual([{ quarantine_until: 86_401_000 }]);
  restored.close();
  expect(await restoreReplica(stand('exit 1'), 1_000)).toBe(false);
});

it('refuses to begin with an empty database when the replica cannot be read', async () => {
  const replica = stand('echo "AccessDenied" >&2; exit 1');
  await expect(restoreReplica(replica, 1)).rejects.toThrow(
    'could not be restored from s3://bucket/db: AccessDenied. Check',
  );
  expect(readFileSync(replica.program, 'utf8')).toContain('AccessDenied');
  expect(existsSync(replica.path)).toBe(false);
});

it('is nothing without a replica, and says which program is missing', () => {
  const database = { dialect: 'sqlite', path: '/x' } as const;
  expect(replicaOf({ database, litestream: undefined }, {})).toBeUndefined();
  const litestream = { url: 's3://b/p', program: 'no-litestream' };
  expect(() => replicaOf({ database, litestream }, { PATH: '/bin' })).toThrow('the program no-litestream is not there');
});

it.each([
  ['s3://user:secret@host/path?token=x', 's3://…@host/path'],
  ['abs://account@container/path', 'abs://account@container/path'],
  ['s3://bucket/path', 's3://bucket/path'],
])('%s stands in the log as %s', (url, expected) => {
  expect(withoutSecrets(url)).toBe(expected);
});
