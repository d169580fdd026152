import { z } from 'zod';
import { CatalogSourceError, SourceClient } from '../src/refresh/index.js';
import { replayed, type Reply } from './support/replayed.js';

const URL = 'https://prices.example/list';
const list = z.object({ items: z.array(z.object({ price: z.number() })) });
const GOOD = '{"items":[{"price":1}]}';

/** The replies one after the other, the last of them for ever. */
function inOrder(...replies: (() => Response)[]): Reply {
  let next = 0;
  return () => {
    const reply = replies[Math.min(next, replies.length - 1)];
    next += 1;
    if (reply === undefined) throw new Error('no reply');
    return reply();
  };
}

const busy = (retryAfter: string) => () => new Response('', { status: 429, headers: { 'retry-after': retryAfter } });
const brokenOff = (text: string) => () =>
  new Response(
    new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
      },
      pull(controller) {
        controller.error(new TypeError('terminated', { cause: new Error('other side closed') }));
      },
    }),
  );

async function problemOf(promise: Promise<unknown>): Promise<CatalogSourceError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof CatalogSourceError) return error;
  throw new Error(`no CatalogSourceError but ${String(error)}`);
}

describe('a price list', () => {
  it.each([
    ['in seconds', busy('7'), [7_000]],
    ['as a date', busy('Mon, 30 Nov 2026 00:00:20 GMT'), [20_000]],
    ['for longer than anybody waits', busy('86400'), [60_000]],
    ['without saying for how long', () => new Response('', { status: 503 }), [1_000]],
  ])('that asks to wait %s is asked again then', async (_how, reply, pauses) => {
    const network = replayed({ list: inOrder(reply, () => new Response(GOOD)) });
    expect(await network.source.json({ url: URL }, list)).toEqual({ items: [{ price: 1 }] });
    expect(network.pauses).toEqual(pauses);
  });

  it('that asks to wait for ever is given up', async () => {
    const network = replayed({ list: busy('1') });
    const problem = await problemOf(network.source.json({ url: URL }, list));
    expect(problem.message).toBe(`${URL}: the reply is 429`);
    expect(network.asked).toHaveLength(6);
  });

  it('that refuses is not asked again', async () => {
    const network = replayed({ list: () => new Response('', { status: 403, statusText: 'Forbidden' }) });
    expect((await problemOf(network.source.json({ url: URL }, list))).message).toBe(
      `${URL}: the reply is 403 Forbidden`,
    );
    expect(network.asked).toHaveLength(1);
  });

  it('that breaks off is asked for again, and told when it always does', async () => {
    const mended = replayed({ list: inOrder(brokenOff('{"items":'), () => new Response(GOOD)) });
    expect(await mended.source.json({ url: URL }, list)).toEqual({ items: [{ price: 1 }] });
    const broken = replayed({ list: brokenOff('{"items":') });
    expect((await problemOf(broken.source.json({ url: URL }, list))).message).toBe(
      `${URL}: the reply breaks off (other side closed)`,
    );
  });

  it.each([
    [
      'is cut off without a word',
      '{"items":[{"pr',
      `${URL}: the reply of 14 characters is no JSON, or not all of it`,
      null,
    ],
    ['is a page for people', '<html>', `${URL}: the reply of 6 characters is no JSON, or not all of it`, null],
    [
      'has changed',
      '{"items":[{"price":1},{"price":"1.00"}]}',
      `${URL}, items[1].price: Invalid input: expected number, received string`,
      'items[1].price',
    ],
    [
      'has other fields',
      '{"products":[]}',
      `${URL}, items: Invalid input: expected array, received undefined`,
      'items',
    ],
  ])('that %s is named, with the field', async (_what, reply, message, field) => {
    const problem = await problemOf(replayed({ list: reply }).source.json({ url: URL }, list));
    expect({ message: problem.message, field: problem.field }).toEqual({ message, field });
  });

  it('is read line by line, wherever its pieces end', async () => {
    const pieces = ['on', 'e\ntwo\n\u00e4', '\n'].map((text) => new TextEncoder().encode(text));
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces.shift();
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    const lines: string[] = [];
    const { source } = replayed({ list: () => new Response(body) });
    for await (const line of source.lines({ url: URL })) lines.push(line);
    expect(lines).toEqual(['one', 'two', '\u00e4']);
  });

  it.each([
    ['breaks off', brokenOff('one\ntw'), 'the reply breaks off (other side closed)'],
    ['ends within a line', () => new Response('one\ntw'), 'the reply ends within a line'],
  ])('whose lines %s is not taken for all of it', async (_how, reply, problem) => {
    const { source } = replayed({ list: reply });
    const read = async (): Promise<void> => {
      for await (const _line of source.lines({ url: URL }));
    };
    expect((await problemOf(read())).message).toBe(`${URL}: ${problem}`);
  });

  it('is not asked for any longer than whoever wants it', async () => {
    const stop = new AbortController();
    const sleep = async (): Promise<void> => stop.abort(new Error('the server stops'));
    const world = { fetch: async () => busy('1')(), sleep, now: () => 0, random: () => 1 };
    const client = new SourceClient(world, stop.signal);
    await expect(client.json({ url: URL }, list)).rejects.toThrow('the server stops');
  });

  it('never has its key in a message', async () => {
    const { source } = replayed({ list: () => new Response('', { status: 401 }) });
    const request = { url: URL, headers: { authorization: 'Bearer very-secret' } };
    expect(String(await problemOf(source.json(request, list)))).not.toContain('very-secret');
  });
});
