import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileLogStore } from '../src/logs/file-log-store.js';
import type { LogKey, LogStore } from '../src/logs/log-store.js';
import { LogSegments } from '../src/logs/sinks/log-segments.js';
import { SqlLogStore } from '../src/logs/sql-log-store.js';
import { backup } from '../src/operations/backup/backup.js';
import { restore } from '../src/operations/backup/restore.js';
import { check, findings } from '../src/operations/check/check.js';
import { move } from '../src/operations/move/move.js';
import type { OperationContext } from '../src/operations/operation.js';
import { openEnvironment, supportBundle } from '../src/operations/support/support-bundle.js';
import { openDatabase } from '../src/persistence/open-database.js';
import { readSettings } from '../src/settings/read-settings.js';
import type { ServerSettings } from '../src/settings/settings.js';
import { realWorld } from '../src/world/real-world.js';
import { startTestServer } from './support/start-test-server.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const base = mkdtempSync(join(tmpdir(), 'dstack-data-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const original = join(base, 'original');
const OUTPUT = 'line\n'.repeat(200_000); // more than a slice
const UPLOAD = Buffer.alloc(3_000, 7);
let key: LogKey;
let token: string;
let installationId: string;
let printed: string[] = [];

const context = (settings: Partial<ServerSettings>): OperationContext => ({
  settings: readSettings({}, settings).settings,
  world: realWorld(),
  print: (line) => void printed.push(line),
});
const quiet = { backgroundProcessing: false } as const;

beforeEach(() => {
  printed = [];
});

/** A server with one of each, backed up while it runs. */
beforeAll(async () => {
  const server = await startTestServer({ ...quiet, serverDir: original });
  token = server.adminToken;
  installationId = server.installationId;
  await server.post('/api/project/main/secrets/create_or_update', { name: 'hub', value: 'open sesame' });
  const job = await seedJob(server.db, { project: 'lab', run: 'train' });
  key = { projectName: 'lab', runName: 'train', jobId: job.jobId, stream: 'job' };
  await server.db.write(async (tx) => {
    await tx.execute('UPDATE installation SET last_alive_at = 1');
    await tx.execute('INSERT INTO file_archives (id, user_id, blob_hash, content, created_at) VALUES (?, ?, ?, ?, ?)', [
      'archive',
      job.userId,
      'hash',
      UPLOAD,
      1,
    ]);
    await tx.execute('UPDATE jobs SET termination_message = ? WHERE id = ?', ['a\0b', job.jobId]);
  });
  const logs = new FileLogStore(original);
  await logs.append(key, 0, [
    { at: 1_000, payload: Buffer.from(OUTPUT) },
    { at: 9_000, payload: Buffer.from('last words') },
  ]);
  await logs.complete(key);
  await logs.close();
  // As of a log that a service keeps.
  const waiting = new SqlLogStore(server.db, realWorld().scheduler, { ships: true });
  await waiting.append({ ...key, stream: 'runner' }, 0, [{ at: 1_000, payload: Buffer.from('waits') }]);
  for (const [name, withKeys] of [
    ['locked', false],
    ['whole', true],
  ] as const)
    // prettier-ignore
    await backup(context({ serverDir: original }), { to: join(base, name), withKeys });
  const busy = context({ serverDir: original });
  await expect(restore(busy, { from: join(base, 'whole'), overwrite: true })).rejects.toThrow('is in use by another');
  await expect(move(busy, { to: 'postgresql://x/y', isTestCopy: false })).rejects.toThrow('is in use by another');
  await server.close();
});

async function textOf(store: LogStore): Promise<string> {
  let text = '';
  for (;;) {
    const { chunks } = await store.read(key, text.length, 1 << 20);
    if (chunks.length === 0) return text;
    text += Buffer.concat(chunks.map(({ payload }) => payload)).toString();
  }
}

const about = async (settings: Partial<ServerSettings>, subject: string): Promise<string[]> =>
  (await findings(context(settings), [])).filter((each) => each.subject === subject).map(({ level, text }) => `${level}: ${text}`); // prettier-ignore

describe('a backup', () => {
  it('holds the state of a running server, and its keys only when asked to', () => {
    expect(readdirSync(join(base, 'locked')).sort()).toEqual(['data', 'manifest.json', 'projects']);
    expect(readdirSync(join(base, 'whole')).sort()).toEqual(['config.yml', 'data', 'encryption.key', 'manifest.json', 'projects']); // prettier-ignore
    const database = readFileSync(join(base, 'locked/data/sqlite.db'));
    for (const secret of ['open sesame', token]) expect(database.includes(secret)).toBe(false);
  });

  it('that fails leaves nothing behind', async () => {
    const to = join(base, 'of-nothing');
    await expect(backup(context({ serverDir: join(base, 'nobody') }), { to, withKeys: false })).rejects.toThrow(
      'does not exist',
    );
    expect(existsSync(to)).toBe(false);
  });

  it('goes to no place that takes no folder', async () => {
    const to = '/proc/nowhere/backup';
    await expect(backup(context({ serverDir: original }), { to, withKeys: false })).rejects.toThrow(
      `${to} cannot be made (/proc takes no directory). Name a folder that this user may write.`,
    );
  });

  it('that was killed while it was put in place is no beginning of a new server', async () => {
    const serverDir = join(base, 'half');
    await restore(context({ serverDir }), { from: join(base, 'whole'), overwrite: false });
    // As a restore leaves it between putting aside and putting in place.
    mkdirSync(join(serverDir, 'restoring-now'));
    renameSync(join(serverDir, 'data'), join(serverDir, 'restoring-now/data'));
    await expect(startTestServer({ ...quiet, serverDir })).rejects.toThrow('run dstack server restore again');
    expect(await about({ serverDir }, 'database')).toEqual([expect.stringMatching(/^error: A restore into/)]);
    expect(existsSync(join(serverDir, 'data'))).toBe(false);
    await restore(context({ serverDir }), { from: join(base, 'whole'), overwrite: false });
    expect(readdirSync(serverDir).filter((name) => name.startsWith('restoring-'))).toEqual([]);
    expect(await about({ serverDir }, 'database')).toEqual([expect.stringMatching(/^ok: up to date/)]);
  });

  it('becomes a server again, in quarantine', async () => {
    const serverDir = join(base, 'again');
    await restore(context({ serverDir }), { from: join(base, 'whole'), overwrite: false });
    expect(printed.join('\n')).toMatch(/in quarantine[^]*The key "generated" is here/);
    const server = await startTestServer({ ...quiet, serverDir });
    try {
      const { body } = await server.post('/api/project/main/secrets/get', { name: 'hub' }, token);
      expect(body).toMatchObject({ value: 'open sesame' });
      expect(await textOf(new FileLogStore(serverDir))).toBe(`${OUTPUT}last words`);
      const [row] = await server.db.read((tx) => tx.query<{ until: number }>('SELECT quarantine_until AS until FROM installation')); // prettier-ignore
      expect(row?.until).toBeGreaterThan(Date.now());
    } finally {
      await server.close();
    }
  });

  it('takes the place of a database only when told to, and puts that one aside', async () => {
    const serverDir = join(base, 'taken');
    await restore(context({ serverDir }), { from: join(base, 'whole'), overwrite: false });
    const from = join(base, 'locked');
    await expect(restore(context({ serverDir }), { from, overwrite: false })).rejects.toThrow('--overwrite');
    await restore(context({ serverDir }), { from, overwrite: true });
    const aside = readdirSync(serverDir).find((name) => name.startsWith('before-restore-'));
    expect(existsSync(join(serverDir, aside ?? '', 'data/sqlite.db'))).toBe(true);
    expect(readdirSync(serverDir).filter((name) => name.startsWith('restoring-'))).toEqual([]);
  });

  it('without its key says what is missing', async () => {
    await restore(context({ serverDir: join(base, 'keyless') }), { from: join(base, 'locked'), overwrite: false });
    expect(printed.at(-1)).toContain('The key "generated" is NOT here');
  });

  it('that was damaged changes nothing', async () => {
    const from = join(base, 'damaged');
    await backup(context({ serverDir: original }), { to: from, withKeys: false });
    appendFileSync(join(from, 'data/sqlite.db'), 'x');
    const serverDir = join(base, 'untouched');
    await expect(restore(context({ serverDir }), { from, overwrite: false })).rejects.toThrow(
      'is not what was backed up',
    );
    expect(readdirSync(serverDir).filter((name) => name !== 'server.lock')).toEqual([]);
  });
});

describe('a look at a server', () => {
  it('tells what a start would, and changes nothing', async () => {
    expect(await about({ serverDir: original }, 'database')).toEqual([expect.stringMatching(/^ok: up to date/)]);
    expect(await about({ serverDir: original }, 'keys')).toEqual([
      'ok: values are encrypted with "generated", which is here',
    ]);
    const nowhere = join(base, 'nowhere');
    expect(await about({ serverDir: nowhere }, 'database')).toEqual([expect.stringMatching(/^ok: there is none yet/)]);
    expect(existsSync(nowhere)).toBe(false);
  });

  it('finds what would keep it from starting', async () => {
    const serverDir = join(base, 'no-key');
    await restore(context({ serverDir }), { from: join(base, 'locked'), overwrite: false });
    expect(await about({ serverDir }, 'keys')).toEqual([
      expect.stringMatching(/^error: .* not here: the server will not start/),
    ]);
    await expect(check(context({ serverDir }), [])).rejects.toThrow('would not start: 1 error');
    writeFileSync(join(serverDir, 'encryption.key'), Buffer.alloc(32, 1).toString('base64'));
    expect(await about({ serverDir }, 'keys')).toEqual([expect.stringMatching(/the one of that name opens nothing/)]);
    await expect(startTestServer({ ...quiet, serverDir })).rejects.toThrow(
      'which is not here: the one of that name opens nothing. Put it into',
    );
    // Root may write where nobody else may, but not there.
    expect(await about({ serverDir: '/proc/sys/nowhere' }, 'directory')).toEqual([
      expect.stringMatching(/^error: .*\/proc\/sys is not writable/),
    ]);
    const database = { dialect: 'postgres', url: 'postgresql://u:hush@127.0.0.1:1/x' } as const;
    const refused = await about({ serverDir, database }, 'database');
    expect(refused).toEqual([expect.stringMatching(/^error: .*ECONNREFUSED.*DSTACK_DATABASE_URL/)]);
    expect(refused.join()).not.toContain('hush');
  });

  it('warns of backends that a start leaves out', async () => {
    const serverDir = join(base, 'left-out');
    mkdirSync(serverDir);
    const aws = '{type: aws, creds: {type: access_key, access_key: hush}}';
    const gcp = '{type: gcp, project_id: x, creds: {type: service_account, filename: /none.json}}';
    const backends = `[{type: local}, ${aws}, ${gcp}, {type: nonesuch}]`;
    writeFileSync(join(serverDir, 'config.yml'), `projects: [{name: lab, backends: ${backends}}]`);
    const warned = await about({ serverDir }, 'backends');
    expect(warned).toEqual([
      expect.stringMatching(/^warning: Project lab: Invalid aws configuration. creds.secret_key: /),
      expect.stringMatching(/^warning: Project lab: creds.filename: .none.json cannot be read/),
      expect.stringMatching(/^warning: Project lab: Backend nonesuch is not installed/),
    ]);
    expect(warned.join()).not.toContain('hush');
    expect(await about({ serverDir }, 'config.yml')).toEqual(['ok: projects: lab (local); keys: 0']);
    await check(context({ serverDir }), []); // the server would start
  });

  it('finds a plugin that cannot be loaded', async () => {
    const serverDir = join(base, 'plugins');
    mkdirSync(serverDir);
    writeFileSync(join(serverDir, 'config.yml'), 'plugins: [./none.mjs]');
    expect(await about({ serverDir }, 'plugins')).toEqual([expect.stringMatching(/^error: The plugin .* cannot be loaded/)]); // prettier-ignore
  });

  it('is written down without secrets', async () => {
    const to = join(base, 'bundle.json');
    await supportBundle(context({ serverDir: original }), [], to);
    const text = readFileSync(to, 'utf8');
    const generated = readFileSync(join(original, 'encryption.key'), 'utf8').trim();
    for (const secret of [token, 'open sesame', generated]) expect(text).not.toContain(secret);
    expect(JSON.parse(text)).toMatchObject({ database: { counts: { jobs: [{ status: 'running', count: 1 }] } } });
  });

  it('is not written over another file, or where there is no folder', async () => {
    const there = join(base, 'there.json');
    writeFileSync(there, '');
    const bundle = (to: string) => supportBundle(context({ serverDir: original }), [], to);
    await expect(bundle(there)).rejects.toThrow('is there already. Name another file.');
    await expect(bundle(join(base, 'no/where.json'))).rejects.toThrow(/cannot be written \(ENOENT.*Name a file where/);
  });

  it('shows of secrets among the variables only that they are set', () => {
    const env = {
      DSTACK_SERVER_PORT: '1',
      DSTACK_DATABASE_URL: 'postgresql://u:p@h/d',
      DSTACK_OTHER: 'x',
      HOME: '/root',
    };
    expect(openEnvironment(env)).toEqual({
      DSTACK_SERVER_PORT: '1',
      DSTACK_DATABASE_URL: '(set)',
      DSTACK_OTHER: '(set)',
    });
  });
});

const postgres = testDatabases().find(({ name }) => name === 'Postgres');

(postgres === undefined ? describe.skip : describe)('a move to Postgres', () => {
  const empty = async (): Promise<string> => {
    const location = await postgres?.empty();
    return location?.dialect === 'postgres' ? location.url : '';
  };
  const openOne = (url: string) => openDatabase({ dialect: 'postgres', url }, { clock: realWorld().clock });

  it('brings rows, uploads and logs, and refuses a second time', async () => {
    const url = await empty();
    const moving = context({ serverDir: original });
    await move(moving, { to: url, isTestCopy: false });
    expect(printed.join('\n')).toMatch(/file_archives: 1 rows, the same[^]*1 logs of 1000010 bytes[^]*needs the key/);
    const server = await startTestServer({ ...quiet, serverDir: original, database: { dialect: 'postgres', url } });
    try {
      expect(server.installationId).toBe(installationId);
      const { body } = await server.post('/api/project/main/secrets/get', { name: 'hub' }, token);
      expect(body).toMatchObject({ value: 'open sesame' });
      const [archive] = await server.db.read((tx) =>
        tx.query<{ content: Buffer }>('SELECT content FROM file_archives'),
      );
      expect(archive?.content.equals(UPLOAD)).toBe(true);
      const logs = new SqlLogStore(server.db, realWorld().scheduler);
      expect(await textOf(logs)).toBe(`${OUTPUT}last words`);
      expect((await logs.read({ ...key, stream: 'runner' }, 0, 100)).chunks).toMatchObject([{ at: 1_000 }]);
      expect(await new LogSegments(server.db).backlog()).toEqual({ bytes: 5, logs: 1 });
    } finally {
      await server.close();
    }
    await expect(move(moving, { to: url, isTestCopy: false })).rejects.toThrow('is not empty');
  });

  it('that was interrupted keeps servers away and goes on', async () => {
    const url = await empty();
    const moving = context({ serverDir: original });
    const stop = new Error('interrupted');
    const interrupted: OperationContext = {
      ...moving,
      print: (line) => {
        if (line.includes('the same on both sides')) throw stop;
      },
    };
    await expect(move(interrupted, { to: url, isTestCopy: false })).rejects.toBe(stop);
    const database = { dialect: 'postgres', url } as const;
    await expect(startTestServer({ ...quiet, serverDir: join(base, 'early'), database })).rejects.toThrow(
      'is not finished',
    );
    await expect(move(moving, { to: url, isTestCopy: true })).rejects.toThrow('was begun without --copy');
    // Something that the copy did not bring: it may not pass for one.
    const target = await openOne(url);
    await target.write((tx) => tx.execute("UPDATE runs SET name = 'other'"));
    await expect(move(moving, { to: url, isTestCopy: false })).rejects.toThrow('runs differs');
    await target.write((tx) => tx.execute("UPDATE runs SET name = 'train'"));
    await target.close();
    await move(moving, { to: url, isTestCopy: false });
    expect(printed).toContain('Going on where the last copy stopped.');
  });

  it('for tests is another installation, without credentials, in which nothing runs', async () => {
    const url = await empty();
    await move(context({ serverDir: original }), { to: url, isTestCopy: true });
    const server = await startTestServer({ ...quiet, serverDir: original, database: { dialect: 'postgres', url } });
    try {
      expect(server.installationId).not.toBe(installationId);
      expect(server.adminToken).not.toBe(token);
      expect((await server.post('/api/projects/list', {}, token)).status).toBe(403);
      const rows = await server.db.read((tx) => tx.query('SELECT status FROM runs UNION ALL SELECT name FROM secrets'));
      expect(rows).toEqual([{ status: 'terminated' }]);
    } finally {
      await server.close();
    }
  });
});
