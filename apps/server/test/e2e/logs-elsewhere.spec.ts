import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { whyNoMoto } from '@dstack/cloud-fakes/moto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { openDatabase } from '../../src/persistence/open-database.js';
import { realWorld } from '../../src/world/real-world.js';
import { cloudWatch, fluentBit, googleLogging, type LogService } from '../support/log-services.js';
import { ServerProcess, submission } from './server-process.js';

jest.setTimeout(150_000);

const isFull = process.env['DSTACK_TEST_FULL'] === '1';
const why = isFull ? whyNoMoto() : 'it is part of the full run';
if (isFull && why !== null) console.warn(`CloudWatch Logs was not tried on moto: ${why}`);

const services: { readonly name: string; readonly open: () => Promise<LogService> }[] = [
  { name: 'Google Cloud Logging', open: googleLogging },
  { name: 'Fluent Bit and Elasticsearch', open: fluentBit },
  ...(why === null ? [{ name: 'CloudWatch Logs (moto)', open: withGroup }] : []),
];

async function withGroup(): Promise<LogService> {
  const service = await cloudWatch();
  await service.makeGroup();
  return service;
}

/** Less than a job writes while the service is away: the rest waits on the host. */
const BUFFER = 100_000;
const LINES = 6_000;
const wide = (number: number): string => `line ${number} ${'x'.repeat(60)}\n`;
const ALL = Array.from({ length: LINES }, (_line, index) => wide(index + 1)).join('');

describe.each(services)('a server whose logs $name keeps', ({ open }) => {
  let service: LogService;
  let server: ServerProcess;
  /** Files by which jobs, other users of this machine, and this test know of each other. */
  let signs: string;

  beforeAll(async () => {
    signs = mkdtempSync(join(tmpdir(), 'dstack-signs-'));
    chmodSync(signs, 0o777);
    service = await open();
    server = new ServerProcess(null, { ...service.env, DSTACK_SERVER_LOG_BUFFER_BYTES: String(BUFFER) });
    await server.start();
  });
  afterAll(async () => {
    await server.destroy();
    await service.stop();
    rmSync(signs, { recursive: true });
  });

  const setWays = (isOpen: boolean): void => {
    for (const way of service.ways) way.isOpen = isOpen;
  };
  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    for (let tries = 0; tries < 900; tries += 1) {
      if (await isSo()) return;
      await sleep(100);
    }
    throw new Error(`${what} never came: ${server.log().slice(-3_000)}`);
  };
  const untilKept = (run: string, jobId: string, text: string): Promise<void> =>
    until(`the log of ${run}`, async () => (await service.kept(run, jobId)).replaceAll('\r\n', '\n') === text);
  const finished = async (run: string): Promise<string> => submission(await server.finished(run)).id;
  const inDatabase = async <T>(work: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> => {
    const path = join(server.dir, 's', 'data', 'sqlite.db');
    const db = await openDatabase({ dialect: 'sqlite', path }, realWorld());
    try {
      return await work(db);
    } finally {
      await db.close();
    }
  };
  const isEmpty = (question: string): Promise<boolean> =>
    inDatabase(async (db) => (await db.read((tx) => tx.query(question))).length === 0);

  it('has what a job wrote there', async () => {
    await server.apply({ name: 'hello', commands: ['echo hello', 'echo bye'] });
    await untilKept('hello', await finished('hello'), 'hello\nbye\n');
    expect(await server.logs('hello')).toBe('hello\nbye\n');
  });

  it('loses nothing while the service is away, beyond its buffer and through its own death, and reads it back from there', async () => {
    // Begins, writes the rest while the service is away, and says so.
    const [begun, go, written] = ['begun', 'go', 'written'].map((name) => join(signs, name));
    const wait = `touch ${begun}; while test -d ${signs} && ! test -e ${go}; do sleep 0.1; done`;
    const line = `echo "line $i ${'x'.repeat(60)}"; if test $i = 100; then ${wait}; fi`;
    await server.apply({ name: 'long', commands: [`for i in $(seq 1 ${LINES}); do ${line}; done; touch ${written}`] });
    await until('its beginning', async () => existsSync(begun ?? ''));
    setWays(false);
    writeFileSync(go ?? '', '');
    await until('its end', async () => existsSync(written ?? ''));
    await until('the full buffer', async () => server.log().includes('logs wait on the hosts'));
    // Killed with lines that nobody has but its database and the host.
    await server.kill('SIGKILL');
    await server.start();
    setWays(true);
    const jobId = await finished('long');
    await untilKept('long', jobId, ALL);
    expect(await server.logs('long')).toBe(ALL);

    // As if it were later: nothing of it is here any more.
    await until('what the agent said of the jobs, too', () =>
      isEmpty('SELECT 1 FROM log_streams WHERE unshipped = true LIMIT 1'),
    );
    await server.kill('SIGTERM');
    await inDatabase((db) => db.write((tx) => tx.execute('UPDATE log_segments SET shipped_at = shipped_at - 3600000')));
    await server.start();
    await until('the database without logs', () => isEmpty('SELECT 1 FROM log_chunks LIMIT 1'));
    expect(await server.logs('long')).toBe(ALL);
    expect(await server.logs('hello')).toBe('hello\nbye\n');
  });
});

(why === null ? it : it.skip)('a server does not start without its CloudWatch group, and says why', async () => {
  const service = await cloudWatch();
  const server = new ServerProcess(null, service.env);
  try {
    await expect(server.start()).rejects.toThrow(/there is no CloudWatch log group "\/dstack\/jobs"/);
  } finally {
    await server.destroy();
    await service.stop();
  }
});
