import { LogFrameDecoder } from '@dstack/agent-protocol';
import { type LogKey, LogOffsetConflictError } from '../src/logs/log-store.js';
import { type LogPageRequest, pageLogs } from '../src/logs/page-logs.js';
import { LogBacklog } from '../src/logs/sinks/log-backlog.js';
import { LogSegments } from '../src/logs/sinks/log-segments.js';
import { LogShipper } from '../src/logs/sinks/log-shipper.js';
import { type LogSink, LogSinkError, type SinkEvent } from '../src/logs/sinks/log-sink.js';
import { SinkLogStore } from '../src/logs/sinks/sink-log-store.js';
import { SqlLogStore } from '../src/logs/sql-log-store.js';
import { streamLog } from '../src/logs/stream-log.js';
import type { Database } from '../src/persistence/database.js';
import { realWorld } from '../src/world/real-world.js';
import { type OpenedSink, sinkKinds } from './support/log-sinks.js';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const NOW = Math.floor(Date.now() / 1_000) * 1_000;
const text = (value: string | Buffer) => Buffer.from(value);
const chunk = (at: number, value: string | Buffer) => ({ at: NOW + at, payload: text(value) });
let runs = 0;

const isFull = process.env['DSTACK_TEST_FULL'] !== undefined;

describe.each(sinkKinds())('logs that $name keeps', ({ name: kind, open }) => {
  // The rows are the same whoever keeps the logs.
  const databases = testDatabases().filter(({ name }) => isFull || name === 'SQLite' || kind.startsWith('Google'));
  let opened: OpenedSink;
  beforeAll(async () => {
    opened = await open();
  }, 60_000);
  afterAll(() => opened.stop());

  describe.each(databases)('with $name in between', ({ open: openDb }) => {
    let db: Database;
    beforeAll(async () => {
      db = await openDb();
    });

    /** A log of its own, in a world where it is `later` than when its lines were written. */
    const begin = async ({ later = 60_000, mostBytes = 10_000_000, sink = opened.sink } = {}) => {
      const clock = { now: () => NOW + later };
      const world = { ...realWorld(), clock };
      runs += 1;
      const run = `run-${runs}`;
      const { jobId } = await seedJob(db, { project: `project-${runs}`, run });
      const key: LogKey = { projectName: `project-${runs}`, runName: run, jobId, stream: 'job' };
      const recent = new SqlLogStore(db, world.scheduler, { ships: true });
      const segments = new LogSegments(db);
      const backlog = new LogBacklog(segments, sink.name, mostBytes, { clock: rising() });
      const store = new SinkLogStore({ recent, segments, sink, backlog, files: null });
      const shipper = new LogShipper({ db, recent, segments, sink, backlog, mostBytes, holder: 'me', world });
      const ship = async (): Promise<void> => {
        await shipper.pass();
        // As if it had been a while ago.
        await segments.forgetChunks(Number.MAX_SAFE_INTEGER, 1_000);
      };
      return { key, store, ship, shipper, segments };
    };
    type Log = Awaited<ReturnType<typeof begin>>;

    const pages = async ({ store, key }: Log, request: Partial<LogPageRequest> & { descending: boolean }) => {
      const lines: { at: number; text: string }[] = [];
      let token: string | undefined;
      do {
        const page = await pageLogs(store, key, { limit: 100, ...request, ...(token === undefined ? {} : { token }) });
        lines.push(...page.lines.map(({ at, bytes }) => ({ at: at - NOW, text: Buffer.from(bytes).toString() })));
        token = page.nextToken;
      } while (token !== undefined);
      return lines;
    };
    const chunksLeft = async ({ key }: Log) =>
      (await db.read((tx) => tx.query('SELECT start_offset FROM log_chunks WHERE job_id = ?', [key.jobId]))).length;
    const bytesOf = async ({ store, key }: Log, from = 0) =>
      Buffer.concat((await store.read(key, from, 10_000_000)).chunks.map(({ payload }) => payload));

    it('come back as they were, in order, from both ends, page by page', async () => {
      const log = await begin();
      const lines = Array.from({ length: 1_500 }, (_, i) => `line ${i} ünïcödé 🚀\n`);
      let end = 0;
      for (let i = 0; i < lines.length; i += 500)
        end = await log.store.append(log.key, end, [chunk(i, lines.slice(i, i + 500).join(''))]);
      await log.store.complete(log.key);
      await log.ship();
      expect(await chunksLeft(log)).toBe(0);
      expect(await log.store.endOffset(log.key)).toBe(end);
      for (const descending of [false, true]) {
        const seen = (await pages(log, { descending, limit: 700 })).map((line) => line.text);
        expect((descending ? seen.reverse() : seen).join('') === lines.join('')).toBe(true);
      }
      expect((await bytesOf(log, 100)).equals(text(lines.join('')).subarray(100))).toBe(true);
    });

    it('hold a line longer than an event may be, bytes that are no text, empty lines and one without an end', async () => {
      const log = await begin();
      const binary = Buffer.from([0xff, 0xfe, 0x41, 0xc3, 0x28, 0x0a]);
      const long = `${'ä'.repeat(400_000)}\n`;
      const all = Buffer.concat([binary, text('\n\n'), text(long), text('half')]);
      await log.store.append(log.key, 0, [chunk(0, all)]);
      await log.store.complete(log.key);
      await log.ship();
      expect(await chunksLeft(log)).toBe(0);
      const asText = Buffer.concat([text('??A?(\n\n\n'), text(long), text('half')]);
      expect((await bytesOf(log)).equals(asText)).toBe(true);
      expect((await log.store.read(log.key, 0, 1)).complete).toBe(true);
    });

    it('are there once, though a part was put twice', async () => {
      const { sink } = opened;
      let lost = 2;
      // The service has them, and the answer is lost.
      const put = async (key: LogKey, events: readonly SinkEvent[]) => {
        const answer = await sink.put(key, events);
        if ((lost -= 1) >= 0) throw new LogSinkError('outage', 'no answer');
        return answer;
      };
      const log = await begin({ sink: Object.assign(Object.create(sink) as LogSink, { put }) });
      await log.store.append(log.key, 0, [chunk(1, 'a\nb\n'), chunk(2, 'c\n')]);
      for (let tries = 0; tries < 2; tries += 1) {
        await expect(log.ship()).rejects.toThrow('no answer');
        // What comes meanwhile is no part of what is put again.
        const end = await log.store.endOffset(log.key);
        await log.store.append(log.key, end, [chunk(2, 'a\n')]);
      }
      await log.store.complete(log.key);
      await log.ship();
      expect(await chunksLeft(log)).toBe(0);
      expect((await pages(log, { descending: false })).map((line) => line.text).join('')).toBe('a\nb\nc\na\na\n');
    });

    it('are one log with what has not been shipped, by offset and by time', async () => {
      const log = await begin();
      let end = await log.store.append(log.key, 0, [chunk(1_000, 'one\n')]);
      end = await log.store.append(log.key, end, [chunk(2_000, 'two\n')]);
      await log.ship();
      await log.store.append(log.key, end, [chunk(3_000, 'three\n')]);
      const of = async (request: Partial<LogPageRequest> & { descending: boolean }) =>
        (await pages(log, request)).map((line) => line.text.trim());
      expect(await of({ descending: false, limit: 1 })).toEqual(['one', 'two', 'three']);
      expect(await of({ descending: true, limit: 1 })).toEqual(['three', 'two', 'one']);
      expect(await of({ descending: false, after: NOW + 1_000 })).toEqual(['two', 'three']);
      expect(await of({ descending: false, before: NOW + 3_000 })).toEqual(['one', 'two']);
      expect(await of({ descending: true, before: NOW + 2_000 })).toEqual(['one']);
      expect(await pages(log, { descending: false, after: NOW + 1_500, before: NOW + 2_500 })).toEqual([
        { at: 2_000, text: 'two\n' },
      ]);
      await expect(log.store.append(log.key, 0, [chunk(4, 'x')])).rejects.toBeInstanceOf(LogOffsetConflictError);
    });

    it('keep what the job wrote apart from what its runner wrote', async () => {
      const log = await begin();
      const runner: LogKey = { ...log.key, stream: 'runner' };
      await log.store.append(log.key, 0, [chunk(1, 'job\n')]);
      await log.store.append(runner, 0, [chunk(1, 'runner\n')]);
      await log.ship();
      expect((await bytesOf(log)).toString()).toBe('job\n');
      expect((await bytesOf({ ...log, key: runner })).toString()).toBe('runner\n');
    });

    it('can be followed: first what was shipped, then what comes', async () => {
      const log = await begin();
      await log.store.append(log.key, 0, [chunk(1, 'early\n')]);
      await log.ship();
      const { clock, scheduler } = realWorld();
      const seen: string[] = [];
      const reading = (async () => {
        const decoder = new LogFrameDecoder();
        const options = { after: 2, follow: true, isOver: async () => false, now: clock.now, scheduler };
        for await (const bytes of streamLog(log.store, log.key, { ...options, signal: new AbortController().signal }))
          for (const { payload } of decoder.push(bytes)) seen.push(Buffer.from(payload).toString());
      })();
      await log.store.append(log.key, 6, [chunk(2, 'late\n')]);
      await log.store.complete(log.key);
      await reading;
      expect(seen.join('')).toBe('rly\nlate\n');
    });

    it('are gone with their run, here at least', async () => {
      const log = await begin();
      await log.store.append(log.key, 0, [chunk(1, 'gone\n')]);
      await log.ship();
      await log.store.deleteRun(log.key.projectName, log.key.runName, [log.key.jobId]);
      expect(await log.store.read(log.key, 0, 100)).toEqual({ chunks: [], endOffset: 0, complete: false });
      expect(await log.segments.at(log.key, 0)).toBeNull();
    });

    it('wait for the end of a line, but not for ever', async () => {
      const soon = await begin({ later: 1_000 });
      await soon.store.append(soon.key, 0, [chunk(0, 'done\nnot yet')]);
      await soon.ship();
      expect(await soon.segments.at(soon.key, 0)).toMatchObject({ startOffset: 0, endOffset: 5 });
      const late = await begin({ later: 10_000 });
      await late.store.append(late.key, 0, [chunk(0, 'a prompt> ')]);
      await late.ship();
      expect(await late.segments.at(late.key, 0)).toMatchObject({ startOffset: 0, endOffset: 10 });
    });
  });
});

describe('while the service takes nothing', () => {
  it('logs wait in the database up to the bound, then on the hosts; none is lost', async () => {
    const [database] = testDatabases();
    const db = await (database ?? fail()).open();
    const { jobId } = await seedJob(db);
    const key: LogKey = { projectName: 'main', runName: 'train', jobId, stream: 'job' };
    const kept: SinkEvent[] = [];
    let isDown = true;
    const sink: LogSink = {
      name: 'Service',
      limits: { events: 10, bytes: 1_000, eventOverheadBytes: 0, eventBytes: 100, spanMs: 1_000_000 },
      isReadable: true,
      put: async (_key, events) => {
        if (isDown) throw new LogSinkError('outage', 'HTTP 503');
        kept.push(...events);
        return { refused: 0 };
      },
      get: async () => kept,
      check: async () => undefined,
      externalUrl: () => null,
      close: async () => undefined,
    };
    const world = realWorld();
    const segments = new LogSegments(db);
    const backlog = new LogBacklog(segments, 'Service', 12, { clock: rising() });
    const recent = new SqlLogStore(db, world.scheduler, { ships: true });
    const store = new SinkLogStore({ recent, segments, sink, backlog, files: null });
    const shipper = new LogShipper({ db, recent, segments, sink, backlog, mostBytes: 12, holder: 'me', world });
    await store.append(key, 0, [chunk(1, 'one\n')]);
    await store.append(key, 4, [chunk(1, 'two\nthree\n')]);
    await expect(shipper.pass()).rejects.toThrow('HTTP 503');
    await expect(store.append(key, 14, [chunk(1, 'four\n')])).rejects.toThrow(
      '14 bytes of logs wait for Service, and 12 may',
    );
    isDown = false;
    await shipper.pass();
    await store.append(key, 14, [chunk(1, 'four\n')]);
    await shipper.pass();
    expect(kept.map((event) => event.text)).toEqual(['one\n', 'two\n', 'three\n', 'four\n']);
    expect(shipper.counts).toMatchObject({ shippedBytes: 19, refusedEvents: 0 });
    await shipper.stop();
  });
});

/** Nothing is measured long ago. */
function rising(): { now: () => number } {
  let now = 0;
  return { now: () => (now += 60_000) };
}

function fail(): never {
  throw new Error('there is no database to test on');
}
