import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobLog } from './job-log.js';
import { findSpoolEnd } from './spool-end.js';
import { type SpoolOptions, SpoolWriter } from './spool-writer.js';

describe('the spool', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'spool-'));
  });
  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  const open = (options: Partial<SpoolOptions> = {}): Promise<SpoolWriter> =>
    SpoolWriter.open({
      dir,
      stream: 'job',
      now: Date.now,
      maxBytes: 1024 * 1024,
      dropAfterMs: 3_600_000,
      segmentBytes: 1000,
      ackPollMs: 5,
      ...options,
    });

  async function read(from: number, finalEnd: number | undefined): Promise<string> {
    const log = new JobLog(dir, 'job', () => finalEnd);
    let text = '';
    let at = from;
    for await (const frame of log.frames(from, 1024 * 1024, AbortSignal.timeout(10_000))) {
      expect(frame.endOffset - frame.payload.length).toBe(at);
      at = frame.endOffset;
      text += Buffer.from(frame.payload).toString();
    }
    return text;
  }

  it('gives back what was written, over segments, from any offset', async () => {
    const writer = await open();
    let expected = '';
    for (let i = 0; i < 300; i++) {
      expected += `line ${i}\n`;
      writer.append(Buffer.from(`line ${i}\n`));
      if (i % 20 === 0) await writer.flush();
    }
    const end = await writer.close();
    expect(end).toBe(expected.length);
    expect(readdirSync(dir).length).toBeGreaterThan(2);
    expect(await read(0, end)).toBe(expected);
    for (const from of [1, 777, 1500, end - 1]) expect(await read(from, end)).toBe(expected.slice(from));
  });

  it('goes on after a crash where the last whole frame ended', async () => {
    const first = await open();
    first.append(Buffer.from('before the crash '));
    await first.close();
    const [segment = ''] = readdirSync(dir);
    appendFileSync(join(dir, segment), Buffer.from([0, 0, 0, 9, 0, 0]));
    expect((await findSpoolEnd(dir, 'job')).offset).toBe(17);
    expect(await read(0, 17)).toBe('before the crash ');
    const second = await open();
    expect(second.endOffset).toBe(17);
    second.append(Buffer.from('and after'));
    const end = await second.close();
    expect(await read(0, end)).toBe('before the crash and after');
  });

  it('deletes whole segments that were acknowledged, and keeps offsets', async () => {
    const writer = await open();
    for (let i = 0; i < 50; i++) {
      writer.append(Buffer.alloc(100, 97 + (i % 26)));
      await writer.flush();
    }
    const end = await writer.close();
    const before = readdirSync(dir).length;
    const log = new JobLog(dir, 'job', () => end);
    await log.acknowledge(3000);
    expect(readdirSync(dir).length).toBeLessThan(before);
    expect(await read(3000, end)).toHaveLength(end - 3000);
  });

  it('sends no more than the window beyond the last acknowledgement', async () => {
    const writer = await open();
    writer.append(Buffer.alloc(10_000, 'x'));
    const end = await writer.close();
    const log = new JobLog(dir, 'job', () => end);
    const frames = log.frames(0, 1000, AbortSignal.timeout(10_000));
    const nextEnd = async (): Promise<number> => {
      const result = await frames.next();
      return result.done === true ? NaN : result.value.endOffset;
    };
    let sent = 0;
    while (sent < 1000) sent = await nextEnd();
    expect(sent).toBe(1000);
    const next = nextEnd();
    await log.acknowledge(600);
    expect(await next).toBeLessThanOrEqual(1600);
    await frames.return(undefined);
  });

  it('pauses its source when it is full, and goes on after an acknowledgement', async () => {
    const writer = await open({ maxBytes: 300_000 });
    let paused = false;
    for (let i = 0; i < 200 && !paused; i++) paused = !writer.append(Buffer.alloc(10_000, 'x'));
    expect(paused).toBe(true);
    const drained = writer.drained();
    const log = new JobLog(dir, 'job', () => undefined);
    for await (const frame of log.frames(0, 8 * 1024 * 1024, AbortSignal.timeout(10_000))) {
      await log.acknowledge(frame.endOffset);
      if (frame.endOffset > 600_000) break;
    }
    await drained;
    await writer.close();
    const bytes = readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
    expect(bytes).toBeLessThan(1_200_000);
  });

  it('drops output when it is told to, and says how much in the log', async () => {
    const writer = await open({ maxBytes: 1000, dropAfterMs: 0 });
    writer.append(Buffer.alloc(1000, 'a'));
    await writer.flush();
    writer.append(Buffer.alloc(5000, 'b'));
    await writer.flush();
    const log = new JobLog(dir, 'job', () => undefined);
    await log.acknowledge(1000);
    writer.append(Buffer.from('after'));
    const end = await writer.close();
    const text = await read(0, end);
    expect(text).toContain('… 5000 bytes dropped');
    expect(text.endsWith('after')).toBe(true);
    expect(text).not.toContain('b'.repeat(10));
  });

  it('writes out what is queued when its source has ended, full or not', async () => {
    const writer = await open({ maxBytes: 10 });
    writer.append(Buffer.alloc(100, 'a'));
    await writer.flush();
    writer.append(Buffer.from('last words'));
    const end = await writer.close();
    expect(await read(100, end)).toBe('last words');
  });
});
