import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { isBackendError } from '../src/index.js';
import { decideRetry, type FailedTry, retryAfterMs } from '../src/rest/decide-retry.js';
import { type RefusedReply, RestClient } from '../src/rest/index.js';

const failed = (over: Partial<FailedTry>): FailedTry => ({
  status: 503,
  retryAfterMs: null,
  tries: 1,
  isRepeatable: true,
  msLeft: 60_000,
  ...over,
});

describe('whether to ask again', () => {
  it.each<[string, FailedTry, number | null]>([
    ['a failing server, half a second later', failed({}), 500],
    ['ever later', failed({ tries: 4 }), 4_000],
    ['no answer', failed({ status: null }), 500],
    ['no answer to what may not be done twice', failed({ status: null, isRepeatable: false }), null],
    ['a failing server asked for what may not be done twice', failed({ isRepeatable: false }), null],
    ['turned away, also for what may not be done twice', failed({ status: 429, isRepeatable: false }), 500],
    ['as late as the cloud asks', failed({ status: 429, retryAfterMs: 12_000 }), 12_000],
    ['a refusal', failed({ status: 400 }), null],
    ['too often already', failed({ tries: 6 }), null],
    ['no time left', failed({ msLeft: 400 }), null],
  ])('%s', (_what, given, expected) => {
    expect(decideRetry(given, 1)).toBe(expected);
  });

  it.each([
    ['12', 12_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 59_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['soon', null],
    [undefined, null],
  ])('Retry-After: %s', (header, expected) => {
    expect(retryAfterMs(header, 1_000)).toBe(expected);
  });
});

describe('a client of a REST API', () => {
  let serve: (request: IncomingMessage, response: ServerResponse) => void;
  const server = createServer((request, response) => serve(request, response));
  const waits: number[] = [];
  let now = 0;
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    waits.length = 0;
    now = 0;
  });

  const open = (spacingMs = 0, isFinal: (reply: RefusedReply) => boolean = () => false) =>
    RestClient.open({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      headers: { authorization: 'secret' },
      secrets: ['secret'],
      explain: ({ body }) => ({ failure: { kind: 'rejected', blocks: 'offer' }, message: JSON.stringify(body) }),
      isFinal,
      spacingMs,
      environment: {
        now: () => now,
        random: () => 1,
        sleep: async (ms) => {
          waits.push(ms);
          now += ms;
        },
      },
    });
  const call = () => ({ signal: new AbortController().signal, deadline: now + 60_000 });
  const get = { method: 'GET', path: '/x', schema: z.object({ ok: z.boolean() }) } as const;
  const json = (response: ServerResponse, status: number, body: unknown, headers = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  const failureOf = (work: Promise<unknown>) =>
    work.then(
      () => null,
      (error: unknown) => (isBackendError(error) ? { ...error.failure, message: error.message } : error),
    );

  it('asks until the cloud is well again', async () => {
    let asked = 0;
    serve = (_request, response) => {
      asked += 1;
      if (asked === 1) return void response.destroy();
      if (asked === 2) return void json(response, 503, {});
      json(response, 200, { ok: true });
    };
    expect(await (await open()).send(get, call())).toEqual({ ok: true });
    expect(waits).toEqual([500, 1_000]);
  });

  it('keeps its requests apart', async () => {
    serve = (_request, response) => json(response, 200, { ok: true });
    const client = await open(1_000);
    await client.send(get, call());
    await client.send(get, call());
    expect(waits).toEqual([1_000]);
  });

  it('tells what the cloud says, but no secret', async () => {
    serve = (request, response) => json(response, 400, { said: request.headers.authorization });
    expect(await failureOf((await open()).send(get, call()))).toEqual({
      kind: 'rejected',
      blocks: 'offer',
      message: '{"said":"***"}',
    });
  });

  it('gives up a busy cloud with the time it asked for', async () => {
    serve = (_request, response) => json(response, 429, {}, { 'retry-after': '120' });
    expect(await failureOf((await open()).send(get, call()))).toMatchObject({ kind: 'throttled', retryAt: 120_000 });
  });

  it('knows a final answer whatever its status', async () => {
    let asked = 0;
    serve = (_request, response) => {
      asked += 1;
      json(response, asked === 1 ? 503 : 429, { error: asked === 1 ? 'down' : 'sold out' });
    };
    const client = await open(0, ({ body }) => JSON.stringify(body).includes('sold out'));
    expect(await failureOf(client.send(get, call()))).toEqual({
      kind: 'rejected',
      blocks: 'offer',
      message: '{"error":"sold out"}',
    });
    expect(asked).toBe(2);
  });

  it('follows no redirect', async () => {
    serve = (_request, response) => json(response, 301, {}, { location: 'http://127.0.0.1:1/' });
    expect(await failureOf((await open()).send(get, call()))).toMatchObject({ kind: 'rejected' });
  });

  it('takes an answer of another shape for none', async () => {
    serve = (_request, response) => json(response, 200, { ok: 'yes' });
    expect(await failureOf((await open()).send(get, call()))).toMatchObject({
      kind: 'outage',
      message: expect.stringContaining('GET /x: the answer is not understood at ok') as string,
    });
  });

  it('asks once for what may not be done twice', async () => {
    let asked = 0;
    serve = (_request, response) => {
      asked += 1;
      response.destroy();
    };
    const post = { ...get, method: 'POST' } as const;
    expect(await failureOf((await open()).send(post, call()))).toMatchObject({ kind: 'outage' });
    expect(asked).toBe(1);
  });

  it.each<[string, 'GET' | 'POST', (response: ServerResponse) => void, object]>([
    ['a lost answer', 'POST', (response) => void response.destroy(), { afterLostTry: true }],
    ['a failing cloud', 'POST', (response) => json(response, 502, {}), { afterLostTry: true }],
    ['being turned away', 'POST', (response) => json(response, 429, {}), {}],
    ['a lost answer to a question', 'GET', (response) => void response.destroy(), {}],
  ])('a refusal after %s (%s) says no more than it knows', async (_what, method, first, more) => {
    let asked = 0;
    serve = (_request, response) => {
      asked += 1;
      if (asked === 1) first(response);
      else json(response, 400, 'the key is not valid');
    };
    const refused = await failureOf((await open()).send({ ...get, method, isRepeatable: true }, call()));
    expect(refused).toEqual({ kind: 'rejected', blocks: 'offer', message: '"the key is not valid"', ...more });
  });
});
