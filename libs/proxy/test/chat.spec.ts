import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { answerChat, type ChatOutcome, parseChatRequest, ReplicaSet, type ReplicaTarget } from '../src/index.js';
import { AnswerRoom } from '../src/tgi/answer-room.js';
import { ask, closeAll, connectTo, deadReplica, listen, readUntil, replica, until } from './world.js';

afterEach(closeAll);

const FORMAT = { chatTemplate: "{{ messages[0]['content'] }}", eosToken: '</s>' };
const ASKED = { model: 'm', messages: [{ role: 'user', content: 'hi' }] };

async function chat(targets: readonly ReplicaTarget[], more: object = {}, answerMs = 5_000, room?: AnswerRoom) {
  const replicas = new ReplicaSet({ limits: { connections: 8, answerMs }, now: Date.now, random: () => 0 });
  replicas.update(targets);
  const outcomes: ChatOutcome[] = [];
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const name = { id: 'chatcmpl-1', created: 12, model: 'm' };
      const exchange = { request: parseChatRequest({ ...ASKED, ...more }), response, format: FORMAT, name };
      void answerChat({ ...exchange, headers: request.rawHeaders }, replicas, Date.now, room).then((outcome) => {
        outcomes.push(outcome);
        if (outcome.kind !== 'answered' && outcome.kind !== 'client-gone') response.writeHead(502).end(outcome.kind);
      });
    });
  });
  return { port: await listen(server), outcomes, replicas };
}

const post = (port: number) =>
  ask(port, { method: 'POST', headers: { 'accept-encoding': 'gzip', 'x-mine': '1' }, body: '{}' });
const event = (data: object): string => `data:${JSON.stringify(data)}\n\n`;
const token = (text: string, details: object | null = null) =>
  event({ index: 0, token: { id: 1, text, logprob: 0, special: false }, generated_text: null, details });
const END = { finish_reason: 'eos_token', generated_tokens: 2, seed: null, input_length: 1 };

/** Answers a stream with these pieces, and leaves it open. */
function streams(...pieces: readonly string[]): RequestListener {
  return (request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const piece of pieces) response.write(piece);
  };
}

it('a replica is asked in words of TGI, and the answer is told in words of OpenAI', async () => {
  let body = '';
  const one = await replica('a', (request, response) => {
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.once('end', () => {
      const details = { finish_reason: 'length', generated_tokens: 2, prefill: [{ id: 1 }], tokens: [] };
      response.end(JSON.stringify({ generated_text: 'hello', details }));
    });
  });
  const { port, outcomes, replicas } = await chat([deadReplica('dead'), one.target], { max_tokens: 5 });
  const reply = await post(port);
  expect([reply.status, reply.headers['content-type']]).toEqual([200, 'application/json']);
  expect(JSON.parse(reply.body)).toMatchObject({
    id: 'chatcmpl-1',
    choices: [{ message: { role: 'assistant', content: 'hello' }, finish_reason: 'length' }],
    usage: { total_tokens: 3 },
  });
  expect(JSON.parse(body)).toMatchObject({ inputs: 'hi', parameters: { max_new_tokens: 5, stop: ['</s>'] } });
  expect([one.seen[0]?.method, one.seen[0]?.url]).toEqual(['POST', '/generate']);
  expect(one.seen[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'x-mine': '1' });
  expect(one.seen[0]?.headers).not.toHaveProperty('accept-encoding');
  expect(outcomes).toEqual([{ kind: 'answered', status: 200, group: '0' }]);
  expect(replicas.inFlight()).toEqual({});
});

it('a stream comes as chunks, as it is made, and ends with its mark', async () => {
  let replicaSide: ServerResponse | undefined;
  const one = await replica('a', (request, response) => {
    streams(token('Hel'))(request, response);
    replicaSide = response;
  });
  const { port, outcomes, replicas } = await chat([one.target], { stream: true });
  const client = await connectTo(port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  const begin = await readUntil(client, (text) => text.includes('Hel'));
  expect(begin.toLowerCase()).toContain('x-accel-buffering: no');
  expect(begin).toContain('text/event-stream');
  replicaSide?.write(token('lo</s>', END));
  const end = await readUntil(client, () => false);
  expect(end).toContain('"delta":{"content":"lo"}');
  expect(end).toContain('"finish_reason":"stop"');
  expect(end).toContain('data: [DONE]\n\n');
  expect(one.seen[0]?.url).toBe('/generate_stream');
  await until(() => outcomes.length === 1);
  expect(outcomes).toEqual([{ kind: 'answered', status: 200, group: '0' }]);
  expect(replicas.inFlight()).toEqual({});
});

const REFUSAL = '{"error":"Input validation error: too long","error_type":"validation"}';

it.each<[string, object, RequestListener, number, string]>([
  [
    'a refusal',
    {},
    (_request, response) => response.writeHead(422, { 'content-type': 'application/json' }).end(REFUSAL),
    422,
    REFUSAL,
  ],
  [
    'a refused stream',
    { stream: true },
    (_request, response) => response.writeHead(429, { 'content-type': 'application/json' }).end(REFUSAL),
    429,
    REFUSAL,
  ],
  ['a stream that begins with an error', { stream: true }, streams(`event: error\ndata: ${REFUSAL}\n\n`), 422, REFUSAL],
])('%s is passed on', async (_what, more, answer, status, body) => {
  const one = await replica('a', answer);
  const { port, outcomes } = await chat([one.target], more);
  expect(await post(port)).toMatchObject({ status, body, headers: { 'content-type': 'application/json' } });
  expect(outcomes).toMatchObject([{ kind: 'answered' }]);
});

it('a page of a replica is never a page of this server', async () => {
  const one = await replica('a', (_request, response) =>
    response.writeHead(500, { 'content-type': 'text/html' }).end('<script>'),
  );
  const { port } = await chat([one.target]);
  expect((await post(port)).headers).toMatchObject({
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
});

it.each<[string, object, RequestListener, ChatOutcome['kind']]>([
  ['no JSON', {}, (_request, response) => response.end('hello'), 'wrong-answer'],
  ['no answer of TGI', {}, (_request, response) => response.end('{}'), 'wrong-answer'],
  ['a stream of something else', { stream: true }, streams('data: {}\n\n'), 'wrong-answer'],
  ['a stream without events', { stream: true }, (_request, response) => response.end(), 'wrong-answer'],
  ['half an answer', {}, breaksOff('{"gen'), 'broken-off'],
  ['half an event', { stream: true }, breaksOff('data: {'), 'broken-off'],
])('%s is told before anything is sent', async (_what, more, answer, kind) => {
  const one = await replica('a', answer);
  const { port, outcomes } = await chat([one.target], more);
  expect(await post(port)).toMatchObject({ status: 502, body: kind });
  expect(outcomes).toMatchObject([{ kind, group: '0' }]);
});

function breaksOff(begin: string): RequestListener {
  return (_request, response) => {
    response.writeHead(200);
    response.write(begin, () => response.destroy());
  };
}

it.each<[string, RequestListener, string]>([
  ['fails', streams(token('Hel'), event({ error: 'out of\nmemory', error_type: 'generation' })), ': out of memory\n\n'],
  ['speaks nonsense', streams(token('Hel'), 'data: x\n\n'), ': an event of its stream is no JSON\n\n'],
  [
    'finishes for an unknown reason',
    streams(token('Hel', { ...END, finish_reason: 'tired' })),
    'no reason to finish\n\n',
  ],
  ['ends too early', endsEarly, ': The replica ended its stream before its answer was complete\n\n'],
  ['breaks off', breaksOff(token('Hel')), '\n\n: '],
])(
  'a replica that %s in the middle ends the stream with a comment, and without its mark',
  async (_how, answer, end) => {
    const one = await replica('a', answer);
    const { port } = await chat([one.target], { stream: true });
    const { status, body } = await post(port);
    expect(status).toBe(200);
    expect(body).toContain(end);
    expect(body).not.toContain('[DONE]');
    expect(body.split('\n\n').filter((each) => each.startsWith(': '))).toHaveLength(1);
  },
);

function endsEarly(_request: unknown, response: ServerResponse): void {
  response.end(token('Hel'));
}

it.each([
  ['before its first token', true, []],
  ['in the middle of a stream', true, [token('Hel')]],
  ['before its answer', false, []],
])('a client that goes %s is told to the replica', async (_when, stream, pieces) => {
  let isGone = false;
  const one = await replica('a', (request, response) => {
    response.once('close', () => (isGone = true));
    if (stream) streams(...pieces)(request, response);
  });
  const { port, outcomes, replicas } = await chat([one.target], { stream });
  const client = await connectTo(port);
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
  if (pieces.length > 0) await readUntil(client, (text) => text.includes('Hel'));
  await until(() => one.seen.length === 1);
  client.destroy();
  await until(() => isGone && outcomes.length === 1);
  expect(outcomes).toEqual([{ kind: 'client-gone' }]);
  expect(replicas.inFlight()).toEqual({});
});

it('a replica that is silent is not waited for for ever', async () => {
  const one = await replica('a', () => undefined);
  const { port, outcomes } = await chat([one.target], {}, 1);
  expect(await post(port)).toMatchObject({ status: 502, body: 'too-late' });
  expect(outcomes).toMatchObject([{ kind: 'too-late', group: '0' }]);
});

const KIB = 'x'.repeat(1024);

/** Writes without end, as fast as it is read. */
function endless(status: number, begin: string, piece: string, told: { bytes: number }): RequestListener {
  return (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' });
    response.write(begin);
    const more = (): void => {
      let goesOn = true;
      while (goesOn && !response.destroyed) {
        goesOn = response.write(piece);
        told.bytes += piece.length;
      }
    };
    response.on('drain', more);
    response.on('error', () => undefined);
    more();
  };
}

it.each<[string, object, number, string, string, number]>([
  ['an answer', {}, 200, '{"generated_text": "', KIB.repeat(64), 64],
  ['an event of a stream', { stream: true }, 200, 'data: {"token": "', KIB.repeat(64), 1],
  ['a line of an event of a stream', { stream: true }, 200, '', 'data: x\n'.repeat(8_192), 1],
  ['a refusal', {}, 500, '{"error": "', KIB.repeat(64), 1],
])('%s that never ends is given up, and the replica hears it', async (_what, more, status, begin, piece, mib) => {
  const told = { bytes: 0 };
  const one = await replica('a', endless(status, begin, piece, told));
  const { port, outcomes, replicas } = await chat([one.target], more, 20_000);
  expect(await post(port)).toMatchObject({ status: 502, body: 'wrong-answer' });
  expect(outcomes).toMatchObject([
    { kind: 'wrong-answer', message: expect.stringMatching(/longer than|too long/) as string },
  ]);
  expect(replicas.inFlight()).toEqual({});
  // What lay in buffers on the way was written too, and no more.
  expect(told.bytes).toBeLessThan((mib + 32) * 1024 * 1024);
});

it('answers that are held are given up before all of them together take too much, and those after them are not', async () => {
  const room = new AnswerRoom(4 * 1024 * 1024);
  const long = await replica('a', endless(200, '{"generated_text": "', KIB.repeat(64), { bytes: 0 }));
  const { port, outcomes } = await chat([long.target], {}, 20_000, room);
  const replies = await Promise.all([post(port), post(port), post(port)]);
  expect(replies.map(({ body }) => body)).toEqual(['no-room', 'no-room', 'no-room']);
  expect(outcomes).toEqual(Array(3).fill({ kind: 'no-room', group: '0' }));
  const details = { finish_reason: 'length', generated_tokens: 2, prefill: [{ id: 1 }], tokens: [] };
  const usual = await replica('b', (_request, response) =>
    response.end(JSON.stringify({ generated_text: KIB.repeat(3 * 1024), details })),
  );
  const after = await chat([usual.target], {}, 20_000, room);
  expect([(await post(after.port)).status, (await post(after.port)).status]).toEqual([200, 200]);
});
