import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { GatewayStateInput } from '@dstack/gateway-protocol';
import { WebSocket } from 'ws';
import { ask } from './support/ask.js';
import { type Replica, startReplica } from './support/replica.js';
import { type Sshd, startSshd } from './support/sshd.js';
import {
  canServe,
  makeGateway,
  put,
  type ServiceInput,
  serviceOf,
  signal,
  stateOf,
  STRANGER,
  type TestGateway,
  TOKEN,
} from './support/test-gateway.js';

const bearer = { authorization: `Bearer ${TOKEN}` };
let host: Sshd;
let gateway: TestGateway;
let one: Replica;
let services: ServiceInput[];
let more: Partial<GatewayStateInput>;

beforeAll(async () => {
  if (!canServe) return;
  [host, gateway, one] = await Promise.all([startSshd(), makeGateway(), startReplica('one')]);
  await gateway.start();
  const limited = [
    { prefix: '/v1/', key: { kind: 'header' as const, header: 'X-Api-Key' }, requestsPerSecond: 1 / 60, burst: 0 },
    { prefix: '/slow', key: { kind: 'ip' as const }, requestsPerSecond: 1 / 60, burst: 1 },
  ];
  const onlyPaths = [
    { path: '/generate', match: 'exact' as const },
    { path: '/v1/', match: 'prefix' as const },
  ];
  services = [
    serviceOf(host, [one]),
    serviceOf(host, [one], { host: 'theirs.test', project: 'other' }),
    serviceOf(host, [one], { host: 'open.test', auth: false, maxBodyBytes: 1000, rateLimits: limited, cors: true }),
    serviceOf(host, [one], { host: 'router.test', onlyPaths }),
  ];
  const model = { project: 'main', serviceId: 'web.test', createdAt: 1 };
  const models = [
    { ...model, name: 'org/chat', api: { format: 'openai' as const, prefix: '/v1' } },
    {
      ...model,
      name: 'org/tgi',
      api: { format: 'tgi' as const, chatTemplate: "{{ messages[0]['content'] }}", eosToken: '</s>' },
    },
    { ...model, name: 'org/mute', api: { format: 'tgi' as const, chatTemplate: null, eosToken: null } },
  ];
  more = { models, modelHosts: [{ host: 'gateway.test', https: 'none' as const, project: 'main' }] };
  await put(gateway, stateOf(host, services, more));
});

afterAll(async () => {
  if (!canServe) return;
  await gateway.remove();
  await Promise.all([host.remove(), one.kill()]);
});

const edge = canServe ? it : it.skip;

/** Bytes as they are; what comes back until the connection ends or `isEnough`. */
function say(bytes: string, isEnough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: gateway.httpPort, host: '127.0.0.1' });
    let text = '';
    socket.once('error', reject);
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (isEnough(text)) socket.destroy();
    });
    socket.once('close', () => resolve(text));
    socket.write(bytes);
  });
}

const head = `Host: web.test\r\nAuthorization: Bearer ${TOKEN}\r\n`;

edge.each([
  ['two lengths', `POST / HTTP/1.1\r\n${head}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd`],
  ['a length and chunks', `POST / HTTP/1.1\r\n${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['an unknown encoding', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ['a length that is none', `POST / HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n`],
  ['two hosts', `GET / HTTP/1.1\r\n${head}Host: open.test\r\n\r\n`],
  ['a header with a space', `GET / HTTP/1.1\r\n${head}X-A : b\r\nConnection: close\r\n\r\n`],
  ['a NUL', `GET / HTTP/1.1\r\n${head}X-A: b\0c\r\n\r\n`],
])('%s never reach a replica in two readings', async (what, bytes) => {
  const before = one.seen.length;
  const text = await say(bytes, (all) => /\r\n\r\n/.test(all));
  if (what === 'a header with a space') {
    expect(one.seen.slice(before).every(({ headers }) => !('x-a' in headers))).toBe(true);
    return;
  }
  expect(text).toMatch(/^HTTP\/1\.1 (400|501) /);
  expect(one.seen).toHaveLength(before);
});

edge('the name in the request line is the one that counts, and the replica is told that one', async () => {
  const bytes = `GET http://theirs.test/ HTTP/1.1\r\n${head}Connection: close\r\n\r\n`;
  expect(await say(bytes)).toMatch(/^HTTP\/1\.1 403 /);
  const own = `GET http://web.test/ HTTP/1.1\r\nHost: theirs.test\r\nAuthorization: Bearer ${TOKEN}\r\nConnection: close\r\n\r\n`;
  expect(await say(own)).toMatch(/^HTTP\/1\.1 200 /);
  expect(one.seen.at(-1)?.headers.host).toBe(`web.test:${gateway.httpPort}`);
});

edge('a token opens its own project only, and only as it is', async () => {
  const status = async (name: string, authorization: string): Promise<number> =>
    (await ask(gateway.httpPort, { host: name, headers: { authorization } })).status;
  expect(await status('theirs.test', `Bearer ${TOKEN}`)).toBe(403);
  expect(await status('theirs.test', `Bearer ${STRANGER}`)).toBe(200);
  expect(await status('web.test', `Bearer ${TOKEN} x`)).toBe(403);
  expect(await status('web.test', `Bearer  ${TOKEN}`)).toBe(200);
});

edge('what is between nginx and the gateway cannot be asked, said or switched off by clients', async () => {
  for (const path of ['/.dstack/access', '/.dstack/access-again', '/%2edstack/access'])
    expect((await ask(gateway.httpPort, { path, headers: bearer })).status).toBe(404);
  const pretended = { 'x-dstack-verified': '1', 'x-dstack-route': 'challenge', 'x-dstack-service': 'open.test' };
  for (const name of ['web.test', 'gateway.test'])
    expect((await ask(gateway.httpPort, { host: name, headers: pretended })).status).toBe(403);
});

edge('while nginx is about to change, nobody gets in who may not, and the token stays here', async () => {
  writeFileSync(join(gateway.dir, 'nginx', 'closing'), '');
  const stranger = await ask(gateway.httpPort, { headers: { connection: 'keep-alive' } });
  expect([stranger.status, stranger.headers.connection]).toEqual([403, 'close']);
  const member = await ask(gateway.httpPort, { headers: { ...bearer, connection: 'keep-alive' } });
  expect([member.status, member.headers.connection]).toEqual([200, 'close']);
  expect(one.seen.at(-1)?.headers).not.toHaveProperty('authorization');
  rmSync(join(gateway.dir, 'nginx', 'closing'));
});

edge('a WebSocket needs the token too, and nothing else is upgraded to', async () => {
  const refused = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/`, { headers: { host: 'web.test' } });
  const error = await new Promise<Error>((resolve) => refused.once('error', resolve));
  expect(error.message).toContain('403');
  const h2c = {
    ...bearer,
    connection: 'Upgrade, HTTP2-Settings',
    upgrade: 'h2c',
    'http2-settings': 'AAMAAABkAAQAAP__',
  };
  expect((await ask(gateway.httpPort, { headers: h2c })).status).toBe(200);
  expect(one.seen.at(-1)?.headers).not.toHaveProperty('upgrade');
  expect(one.seen.at(-1)?.headers).not.toHaveProperty('http2-settings');
});

edge('line ends in paths stay what they are', async () => {
  const answer = await ask(gateway.httpPort, { path: '/a%0d%0aX-Injected:%201', headers: bearer });
  expect(answer.headers).not.toHaveProperty('x-injected');
  expect(one.seen.at(-1)?.url).toBe('/a%0d%0aX-Injected:%201');
});

edge.each([
  ['/generate', 200],
  ['/v1/x', 200],
  ['/generate/more', 403],
  ['/', 403],
  ['/v1/../admin', 400],
  ['/v1/%2e%2e/admin', 400],
  ['/v1/..%2fadmin', 400],
  ['/v1/..;/admin', 400],
  ['/admin/../v1/x', 400],
  ['//v1/x/..%5cadmin', 400],
  ['/v1/x?next=/../admin', 200],
])('of a router, %s is answered with %i', async (path, status) => {
  expect((await ask(gateway.httpPort, { host: 'router.test', path, headers: bearer })).status).toBe(status);
});

edge('a replica cannot send a request elsewhere', async () => {
  const before = one.seen.length;
  const answer = await ask(gateway.httpPort, { host: 'router.test', path: '/v1/elsewhere', headers: bearer });
  expect([answer.status, answer.body, one.seen.length - before]).toEqual([200, 'here', 1]);
});

edge('rates are limited by header or address, bodies by length', async () => {
  const status = async (path: string, key?: string): Promise<number> => {
    const headers = key === undefined ? {} : { 'x-api-key': key };
    return (await ask(gateway.httpPort, { host: 'open.test', path, headers })).status;
  };
  expect([await status('/v1/a', 'k1'), await status('/v1/b', 'k1'), await status('/v1/a', 'k2')]).toEqual([
    200, 429, 200,
  ]);
  // Who sends no key is counted by address.
  expect([await status('/v1/a'), await status('/v1/a')]).toEqual([200, 429]);
  expect([await status('/slow'), await status('/slow'), await status('/slow')]).toEqual([200, 200, 429]);
  expect(await status('/fast')).toBe(200);
  const long = await ask(gateway.httpPort, {
    host: 'open.test',
    method: 'POST',
    path: '/sink',
    body: 'x'.repeat(1001),
  });
  expect(long.status).toBe(413);
});

edge('limits may be counted by something else from one moment to the next', async () => {
  const rateLimits = (['ip', 'header'] as const).map((kind) => [
    { prefix: '/', key: kind === 'ip' ? { kind } : { kind, header: 'X-Who' }, requestsPerSecond: 1 / 60, burst: 0 },
  ]);
  for (const [byAddress = [], byHeader = []] of [rateLimits, rateLimits.toReversed()])
    for (const limits of [byAddress, byHeader]) {
      const changing = serviceOf(host, [one], { host: 'changing.test', auth: false, rateLimits: limits });
      const { nginxProblem } = await gateway.client.putState(stateOf(host, [...services, changing], more), signal);
      expect(nginxProblem).toBeNull();
    }
});

edge('pages of any origin may ask models', async () => {
  const asked = { origin: 'https://page.test', 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }; // prettier-ignore
  const preflight = await ask(gateway.httpPort, { host: 'open.test', method: 'OPTIONS', headers: asked });
  expect(preflight.status).toBe(204);
  expect(preflight.headers).toMatchObject({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'authorization',
  });
  const answer = await ask(gateway.httpPort, { host: 'open.test', method: 'POST', path: '/v1/chat/completions', headers: { 'x-api-key': 'k3' } }); // prettier-ignore
  expect(answer.headers['access-control-allow-origin']).toBe('*');
});

edge('models are found by name, for members only', async () => {
  const of = (path: string, rest: object = {}) => ask(gateway.httpPort, { host: 'gateway.test', path, headers: bearer, ...rest }); // prettier-ignore
  const chat = (body: unknown) => of('/chat/completions', { method: 'POST', body: JSON.stringify(body) });
  for (const path of ['/models', '/v1/models', '/main/models']) {
    const { data } = JSON.parse((await of(path)).body) as { data: { id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(['org/chat', 'org/mute', 'org/tgi']);
  }
  expect((await of('/models', { headers: {} })).status).toBe(403);
  expect((await of('/models', { headers: { authorization: `Bearer ${STRANGER}` } })).status).toBe(403);
  expect((await of('/other/models')).status).toBe(403);
  expect(JSON.parse((await chat({ model: 'org/chat', messages: [] })).body)).toMatchObject({ by: 'one' });
  expect(one.seen.at(-1)?.url).toBe('/v1/chat/completions');
  expect(one.seen.at(-1)?.headers).not.toHaveProperty('authorization');
  expect(Object.keys(one.seen.at(-1)?.headers ?? {}).filter((name) => name.startsWith('x-dstack'))).toEqual([]);
  const translated = await chat({ model: 'org/tgi', messages: [{ role: 'user', content: 'hi' }] });
  expect(JSON.parse(translated.body)).toMatchObject({ choices: [{ message: { content: 'hello' } }] });
  expect((await chat({ model: 'none' })).status).toBe(404);
  expect((await chat({ model: 'org/mute', messages: [] })).status).toBe(501);
  expect((await chat('x')).status).toBe(400);
});

edge('clients that never finish asking keep nobody out', async () => {
  const sockets = Array.from({ length: 200 }, () => connect({ port: gateway.httpPort, host: '127.0.0.1' }));
  for (const socket of sockets) socket.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: web.test\r\nX-A:');
  expect((await ask(gateway.httpPort, { headers: bearer })).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});
