import { LiveOutput } from '../job/live-output.js';
import { tailLive } from './tail-live.js';

async function collect(source: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const bytes of source) text += Buffer.from(bytes).toString();
  return text;
}

describe('reading a job’s live output', () => {
  it('gives what there was from the start time, what comes, and the end', async () => {
    const live = new LiveOutput();
    live.add(Buffer.from('old '), 10);
    live.add(Buffer.from('kept '), 20);
    const text = collect(tailLive(live, 20));
    live.add(Buffer.from('new'), 30);
    live.end();
    expect(await text).toBe('kept new');
  });

  it('stops when its reader has gone', async () => {
    const gone = new AbortController();
    const text = collect(tailLive(new LiveOutput(), 0, gone.signal));
    gone.abort();
    expect(await text).toBe('');
  });

  it('tells a reader that is too slow how much it lost', async () => {
    const live = new LiveOutput();
    const source = tailLive(live);
    const first = source.next();
    live.add(Buffer.from('a'), 1);
    await first;
    for (let megabyte = 0; megabyte < 10; megabyte++) live.add(Buffer.alloc(1024 * 1024, 'x'), 2);
    live.end();
    expect(await collect(source)).toContain(`${2 * 1024 * 1024} bytes dropped`);
  });
});
