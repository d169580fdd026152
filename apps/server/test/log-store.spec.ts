import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiskReserve } from '../src/logs/disk-reserve.js';
import { FileLogStore } from '../src/logs/file-log-store.js';
import { type LogKey, LogOffsetConflictError, type LogStore } from '../src/logs/log-store.js';
import { pageLogs } from '../src/logs/page-logs.js';
import { SqlLogStore } from '../src/logs/sql-log-store.js';
import { streamLog } from '../src/logs/stream-log.js';
import { realWorld } from '../src/world/real-world.js';
import { LogFrameDecoder } from '@dstack/agent-protocol';
import { testDatabases } from './support/test-databases.js';
import { seedJob } from './support/workload-rows.js';

const dirs: string[] = [];
const stores: LogStore[] = [];
const opened = <T extends LogStore>(store: T): T => {
  stores.push(store);
  return store;
};
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});
afterAll(() => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })));
const temporaryDir = () => {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-logs-'));
  dirs.push(dir);
  return dir;
};

const keyOf = (jobId: string): LogKey => ({ projectName: 'main', runName: 'train', jobId, stream: 'job' });
const text = (value: string) => Buffer.from(value);
const chunk = (at: number, value: string) => ({ at, payload: text(value) });

interface Subject {
  readonly name: string;
  make(): Promise<{ store: LogStore; key: LogKey }>;
}

const subjects: Subject[] = [
  {
    name: 'files',
    make: async () => ({
      store: opened(new FileLogStore(temporaryDir())),
      key: keyOf('11111111-1111-4111-8111-111111111111'),
    }),
  },
  ...testDatabases().map((database) => ({
    name: `table on ${database.name}`,
    make: async () => {
      const db = await database.open();
      const { jobId } = await seedJob(db);
      return { store: opened(new SqlLogStore(db, realWorld().scheduler)), key: keyOf(jobId) };
    },
  })),
];

async function contents(store: LogStore, key: LogKey, from = 0): Promise<string> {
  const { chunks } = await store.read(key, from, 1_000_000);
  return Buffer.concat(chunks.map(({ payload }) => payload)).toString();
}

describe.each(subjects)('log store: $name', ({ make }) => {
  it('is empty before the first byte', async () => {
    const { store, key } = await make();
    expect(await store.endOffset(key)).toBe(0);
    expect(await store.read(key, 0, 100)).toEqual({ chunks: [], endOffset: 0, complete: false });
  });

  it('reads from any offset what was appended', async () => {
    const { store, key } = await make();
    expect(await store.append(key, 0, [chunk(1, 'one\n'), chunk(2, 'two\n')])).toBe(8);
    expect(await store.append(key, 8, [chunk(3, 'three\n')])).toBe(14);
    expect(await contents(store, key)).toBe('one\ntwo\nthree\n');
    expect(await contents(store, key, 5)).toBe('wo\nthree\n');
    expect(await contents(store, key, 14)).toBe('');
  });

  it('refuses an append that repeats bytes or leaves a gap, and says where the log ends', async () => {
    const { store, key } = await make();
    await store.append(key, 0, [chunk(1, 'one\n')]);
    for (const offset of [0, 3, 5]) {
      const refusal = await store.append(key, offset, [chunk(2, 'x')]).catch((error: unknown) => error);
      expect(refusal).toBeInstanceOf(LogOffsetConflictError);
      expect((refusal as LogOffsetConflictError).endOffset).toBe(4);
    }
  });

  it('lets only one of two writers append at the same place', async () => {
    const { store, key } = await make();
    const outcomes = await Promise.allSettled(['a', 'b'].map((word) => store.append(key, 0, [chunk(1, word)])));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await store.endOffset(key)).toBe(1);
  });

  it('takes the next append as soon as it says so, and has them in order', async () => {
    const { store, key } = await make();
    const ends: number[] = [];
    const appends: Promise<unknown>[] = [];
    for (const [start, word] of [
      [0, 'one '],
      [4, 'two '],
      [8, 'three'],
    ] as const) {
      await new Promise<void>((resolve, reject) => {
        const append = store.append(key, start, [chunk(1, word)], resolve);
        appends.push(append.then((end) => void ends.push(end)));
        append.then(() => resolve(), reject);
      });
    }
    await store.complete(key);
    await Promise.all(appends);
    expect(ends).toEqual([4, 8, 13]);
    expect(await contents(store, key)).toBe('one two three');
    expect((await store.read(key, 0, 10)).complete).toBe(true);
  });

  it('takes nothing more once complete', async () => {
    const { store, key } = await make();
    await store.append(key, 0, [chunk(1, 'all')]);
    await store.complete(key);
    await store.complete(key);
    await expect(store.append(key, 3, [chunk(2, 'more')])).rejects.toBeInstanceOf(LogOffsetConflictError);
    expect((await store.read(key, 0, 10)).complete).toBe(true);
  });

  it('forgets the logs of a deleted run', async () => {
    const { store, key } = await make();
    await store.append(key, 0, [chunk(1, 'gone')]);
    await store.deleteRun(key.projectName, key.runName, [key.jobId]);
    expect(await store.endOffset(key)).toBe(0);
  });

  it('streams what is there, then what comes, until the log is complete', async () => {
    const { store, key } = await make();
    const world = realWorld();
    await store.append(key, 0, [chunk(1, 'early ')]);
    const seen: string[] = [];
    const reading = (async () => {
      const decoder = new LogFrameDecoder();
      const signal = new AbortController().signal;
      const frames = streamLog(store, key, {
        after: 2,
        follow: true,
        isOver: async () => false,
        now: world.clock.now,
        scheduler: world.scheduler,
        signal,
      });
      for await (const bytes of frames)
        for (const frame of decoder.push(bytes)) seen.push(Buffer.from(frame.payload).toString());
    })();
    await store.append(key, 6, [chunk(2, 'late ')]);
    await store.append(key, 11, [chunk(3, 'last')]);
    await store.complete(key);
    await reading;
    expect(seen.join('')).toBe('rly late last');
  });

  it('does not follow when it was not asked to', async () => {
    const { store, key } = await make();
    const world = realWorld();
    await store.append(key, 0, [chunk(1, 'now')]);
    const frames: Buffer[] = [];
    const options = {
      after: 0,
      follow: false,
      isOver: async () => false,
      now: world.clock.now,
      scheduler: world.scheduler,
    };
    for await (const bytes of streamLog(store, key, { ...options, signal: new AbortController().signal }))
      frames.push(bytes);
    expect(frames).toHaveLength(1);
  });
});

describe('log files', () => {
  it('cut off what an interrupted append left behind', async () => {
    const dir = temporaryDir();
    const key = keyOf('22222222-2222-4222-8222-222222222222');
    const before = opened(new FileLogStore(dir));
    await before.append(key, 0, [chunk(1, 'whole\n')]);
    await before.append(key, 6, [chunk(2, 'torn\n')]);
    await before.close();
    const path = join(dir, 'projects/main/logs/train', key.jobId, 'job');
    truncateSync(`${path}.idx`, 16 + 7);
    appendFileSync(`${path}.log`, 'half a li');
    const after = opened(new FileLogStore(dir));
    expect(await after.endOffset(key)).toBe(6);
    await after.append(key, 6, [chunk(3, 'again\n')]);
    expect(await contents(after, key)).toBe('whole\nagain\n');
    await after.complete(key);
    const reopened = opened(new FileLogStore(dir));
    expect((await reopened.read(key, 0, 100)).complete).toBe(true);
    expect(readFileSync(`${path}.log`, 'utf8').startsWith('whole\nagain\n')).toBe(true);
  });
});

it('takes nothing while the disk is nearly full, and goes on when it is not', async () => {
  const dir = temporaryDir();
  const room = { freeBytes: 600 * 1024 ** 2, totalBytes: 100 * 1024 ** 3 };
  const store = opened(new FileLogStore(dir, new DiskReserve(dir, async () => room)));
  const key = keyOf('55555555-5555-4555-8555-555555555555');
  expect(await store.append(key, 0, [chunk(1, 'a')])).toBe(1);
  room.freeBytes = 500 * 1024 ** 2;
  await expect(store.append(key, 1, [chunk(2, 'b')])).rejects.toThrow(/500 MiB left, and 512 MiB stay free/);
  expect(await store.endOffset(key)).toBe(1);
  room.freeBytes = 600 * 1024 ** 2;
  expect(await store.append(key, 1, [chunk(2, 'b')])).toBe(2);
});

it('keeps a twentieth of a small disk', async () => {
  const reserve = new DiskReserve('/d', async () => ({ freeBytes: 60 * 1024 ** 2, totalBytes: 1024 ** 3 }));
  await expect(reserve.require(0)).resolves.toBeUndefined();
  await expect(reserve.require(20 * 1024 ** 2)).rejects.toMatchObject({ name: 'DiskReserveError' });
  expect(await reserve.shortage()).toBeNull();
  expect((await reserve.shortage(20 * 1024 ** 2))?.message).toContain('60 MiB left');
});

describe('pages of a log', () => {
  const filled = async () => {
    const store = opened(new FileLogStore(temporaryDir()));
    const key = keyOf('33333333-3333-4333-8333-333333333333');
    let end = 0;
    for (const [at, value] of [
      [10, 'a\nb'],
      [20, 'b\nc\n'],
      [30, 'd\ne'],
    ] as const)
      end = await store.append(key, end, [chunk(at, value)]);
    return { store, key };
  };
  const words = (page: { lines: readonly { bytes: Uint8Array }[] }) =>
    page.lines.map(({ bytes }) => Buffer.from(bytes).toString());

  it.each([
    ['all, ascending', { descending: false, limit: 100 }, ['a\n', 'bb\n', 'c\n', 'd\n', 'e']],
    ['all, descending', { descending: true, limit: 100 }, ['e', 'd\n', 'c\n', 'bb\n', 'a\n']],
    ['after a time (exclusive)', { descending: false, limit: 100, after: 20 }, ['d\n', 'e']],
    ['before a time (exclusive)', { descending: false, limit: 100, before: 20 }, ['a\n']],
    ['nothing for a limit of 0', { descending: false, limit: 0 }, []],
  ])('%s', async (_rule, request, expected) => {
    const { store, key } = await filled();
    expect(words(await pageLogs(store, key, request))).toEqual(expected);
  });

  it.each([[false], [true]])('go through the whole log by tokens (descending: %s)', async (descending) => {
    const { store, key } = await filled();
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const page = await pageLogs(store, key, { descending, limit: 2, ...(token === undefined ? {} : { token }) });
      seen.push(...words(page));
      token = page.nextToken;
    } while (token !== undefined);
    expect((descending ? seen.reverse() : seen).join('')).toBe('a\nbb\nc\nd\ne');
  });

  it('holds for a log larger than a block, with lines across blocks, both ways', async () => {
    const store = opened(new FileLogStore(temporaryDir()));
    const key = keyOf('44444444-4444-4444-8444-444444444444');
    const lines = Array.from({ length: 40_000 }, (_, i) => `line ${i} ${'x'.repeat(i % 40)}\n`);
    await store.append(key, 0, [chunk(1, lines.join(''))]);
    for (const descending of [false, true]) {
      const seen: string[] = [];
      let token: string | undefined;
      do {
        const page = await pageLogs(store, key, { descending, limit: 1000, ...(token === undefined ? {} : { token }) });
        seen.push(...words(page));
        token = page.nextToken;
      } while (token !== undefined);
      expect((descending ? seen.reverse() : seen).join('') === lines.join('')).toBe(true);
    }
  });

  it('refuses a token it did not give', async () => {
    const { store, key } = await filled();
    await expect(pageLogs(store, key, { descending: false, limit: 1, token: 'x' })).rejects.toThrow(/next_token/);
  });
});
