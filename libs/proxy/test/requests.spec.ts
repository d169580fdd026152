import { request as httpRequest } from 'node:http';
import { ask, closeAll, connectTo, deadReplica, proxy, readUntil, replica, until } from './world.js';

afterEach(closeAll);

it('passes method, path, query, headers and body on, and the answer back', async () => {
  const one = await replica('a', (request, response) => {
    request.setEncoding('utf8');
    let body = '';
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      response.writeHead(
        201,
        'Made',
        [
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
          ['X-Own', 'yes'],
          ['Connection', 'X-Hop'],
          ['X-Hop', 'no'],
        ].flat(),
      );
      response.end(`${request.method} ${request.url} ${body}`);
    });
  });
  const { port, outcomes } = await proxy([one.target]);
  const reply = await ask(port, {
    method: 'PUT',
    path: '/v1/x%2Fy?q=1&q=2',
    headers: { 'content-length': '4', authorization: 'Bearer secret', 'x-mine': '1', te: 'trailers' },
    body: 'data',
  });
  expect(reply).toMatchObject({ status: 201, body: 'PUT /v1/x%2Fy?q=1&q=2 data' });
  expect(reply.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'x-own': 'yes' });
  expect(reply.headers).not.toHaveProperty('x-hop');
  const [seen] = one.seen;
  expect(seen?.headers).toMatchObject({ 'x-mine': '1', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' });
  expect(seen?.headers).not.toHaveProperty('authorization');
  expect(seen?.headers).not.toHaveProperty('te');
  expect(outcomes).toEqual([{ kind: 'answered', status: 201, group: '0' }]);
});

it('gives events to the client as they come, and the head before the first', async () => {
  let say: (text: string) => void = () => undefined;
  const one = await replica('a', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    say = (text) => void response.write(`data: ${text}\n\n`);
  });
  const { port } = await proxy([one.target]);
  const socket = await connectTo(port);
  socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await readUntil(socket, (text) => text.includes('\r\n\r\n'))).toContain('text/event-stream');
  for (const word of ['one', 'two']) {
    say(word);
    expect(await readUntil(socket, (text) => text.includes(`data: ${word}`))).toContain(word);
  }
  socket.destroy();
  await until(() => one.sockets.size === 0);
});

it('a large upload goes at the pace of the replica', async () => {
  let taken = 0;
  let resume: () => void = () => undefined;
  const one = await replica('a', (request, response) => {
    request.pause();
    request.on('data', (chunk: Buffer) => (taken += chunk.length));
    request.pause();
    resume = () => void request.resume();
    request.on('end', () => response.end(String(taken)));
  });
  const { port } = await proxy([one.target]);
  const size = 64 * 1024 * 1024;
  let sent = 0;
  const answer = new Promise<string>((resolve, reject) => {
    const request = httpRequest({ port, method: 'POST', headers: { 'content-length': size } }, (reply) => {
      reply.setEncoding('utf8');
      reply.once('data', resolve);
    });
    request.once('error', reject);
    const chunk = Buffer.alloc(64 * 1024);
    const push = (): void => {
      while (sent < size) {
        sent += chunk.length;
        if (!request.write(chunk)) return void request.once('drain', push);
      }
      request.end();
    };
    push();
  });
  await until(() => one.seen.length === 1);
  const stalledAt = sent;
  // What fits into the buffers on the way, far from all of it.
  expect(stalledAt).toBeLessThan(size / 2);
  resume();
  expect(await answer).toBe(String(size));
});

it('a client that goes ends the request at the replica', async () => {
  let isAborted = false;
  const one = await replica('a', (request) => {
    request.once('close', () => (isAborted = true));
  });
  const { port, outcomes } = await proxy([one.target]);
  const socket = await connectTo(port);
  socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
  await until(() => one.seen.length === 1);
  socket.destroy();
  await until(() => isAborted && outcomes.length === 1);
  expect(outcomes).toEqual([{ kind: 'client-gone', asked: '0' }]);
});

it.each([
  ['GET', undefined],
  ['POST', '{"prompt": "hi"}'],
])('%s goes to another replica when the first cannot be reached', async (method, body) => {
  const well = await replica('well', (_request, response) => response.end('well'));
  const { port } = await proxy([deadReplica('dead'), well.target]);
  const headers = body === undefined ? {} : { 'content-length': String(body.length) };
  for (const _ of [1, 2, 3]) {
    expect(await ask(port, { method, headers, ...(body === undefined ? {} : { body }) })).toMatchObject({
      status: 200,
      body: 'well',
    });
  }
});

it.each([
  ['GET', 200, 1],
  ['POST', 502, 0],
])('%s that a replica broke off has status %d', async (method, status, seenByOther) => {
  const breaks = await replica('breaks', (request) => void request.socket.destroy());
  const well = await replica('well', (_request, response) => response.end('well'));
  const { port } = await proxy([breaks.target, well.target]);
  const body = method === 'POST' ? { headers: { 'content-length': '2' }, body: 'hi' } : {};
  expect((await ask(port, { method, ...body })).status).toBe(status);
  expect(well.seen).toHaveLength(seenByOther);
});

it('an answer that breaks off in the middle breaks off at the client', async () => {
  const one = await replica('a', (request, response) => {
    response.write('half');
    setImmediate(() => request.socket.destroy());
  });
  const { port, outcomes } = await proxy([one.target]);
  await expect(ask(port, {})).rejects.toThrow();
  await until(() => outcomes.length === 1);
});

it('a replica that does not answer in time is told as such, and asked once', async () => {
  const silent = await replica('silent', () => undefined);
  const { port, outcomes } = await proxy([silent.target], { answerMs: 200 });
  expect((await ask(port, {})).body).toBe('too-late');
  expect(outcomes[0]?.kind).toBe('too-late');
  expect(silent.seen).toHaveLength(1);
});

it('a body that is too long is refused, told beforehand or not', async () => {
  const one = await replica('a', (request, response) => {
    request.resume();
    request.on('end', () => response.end('took it'));
  });
  const { port } = await proxy([one.target], { more: { maxBodyBytes: 100_000 } });
  const long = Buffer.alloc(200_000);
  expect((await ask(port, { method: 'POST', headers: { 'content-length': '200000' }, body: long })).status).toBe(413);
  expect((await ask(port, { method: 'POST', headers: { 'transfer-encoding': 'chunked' }, body: long })).status).toBe(
    413,
  );
  const short = await ask(port, { method: 'POST', headers: { 'content-length': '9' }, body: Buffer.alloc(9) });
  expect(short.body).toBe('took it');
});

it('without a replica nothing is sent', async () => {
  const { port, outcomes } = await proxy([]);
  expect((await ask(port, {})).body).toBe('no-replica');
  expect(outcomes).toEqual([{ kind: 'no-replica' }]);
});

it('a request that could be read in two ways is refused before it is passed on', async () => {
  const one = await replica('a', (_request, response) => response.end('ok'));
  const { port } = await proxy([one.target]);
  const socket = await connectTo(port);
  socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /other HTTP/1.1\r\n\r\n',
  );
  expect(await readUntil(socket, (text) => text.includes('\r\n'))).toContain(' 400 ');
  expect(one.seen).toHaveLength(0);
});

it('a replica that is no longer listed ends what it is doing and is asked no more', async () => {
  let end: () => void = () => undefined;
  const old = await replica('old', (_request, response) => {
    end = () => void response.end('old');
  });
  const next = await replica('next', (_request, response) => response.end('next'));
  const { port, replicas } = await proxy([old.target]);
  const before = ask(port, {});
  await until(() => old.seen.length === 1);
  replicas.update([next.target]);
  expect((await ask(port, {})).body).toBe('next');
  end();
  expect((await before).body).toBe('old');
});
