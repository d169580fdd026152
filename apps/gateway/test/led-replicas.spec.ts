import { request } from 'node:http';
import { WebSocket } from 'ws';
import { ask, load, stopLoads } from './support/ask.js';
import { type LeadingServer, leadTo } from './support/leading-server.js';
import { type Replica, startReplica } from './support/replica.js';
import {
  ACCESS,
  canServe,
  makeGateway,
  type ServiceInput,
  signal,
  type TestGateway,
  TOKEN,
} from './support/test-gateway.js';
import { until } from './support/until.js';

const headers = { authorization: `Bearer ${TOKEN}` };
let gateway: TestGateway;
let one: Replica;
let two: Replica;
let server: LeadingServer;
let revision = 0;

(canServe ? describe : describe.skip)('replicas to which only the server comes', () => {
  beforeAll(async () => {
    [gateway, one, two] = await Promise.all([makeGateway(), startReplica('one'), startReplica('two')]);
    await gateway.start();
    server = leadTo(gateway.dir, [one, two]);
  });
  afterAll(async () => {
    server.leave();
    await gateway.remove();
    await Promise.all([one.kill(), two.kill()]);
  });
  afterEach(stopLoads);

  const putLed = async (...ids: string[]): Promise<void> => {
    const replicas = ids.map((id) => ({ id, group: '0', hops: [], remote: { kind: 'server' as const } }));
    const service: ServiceInput = { id: 'web', project: 'main', run: 'web', host: 'web.test', https: 'none', auth: true, replicas }; // prettier-ignore
    revision += 1;
    await gateway.client.putState({ revision, services: [service], keys: [], acme: null, access: ACCESS }, signal);
    await ready(true);
  };
  const status = async () =>
    (await gateway.client.status({ after: 0, waitMs: 0 }, signal)).services.flatMap(({ replicas }) => replicas);
  const ready = (isReady: boolean) =>
    until(`the replicas are ready: ${isReady}`, async () => (await status()).every((each) => each.isReady === isReady));
  const path = (port: number, more: string) => ({ host: '127.0.0.1', port, path: more, agent: false, headers: { ...headers, host: 'web.test' } }); // prettier-ignore

  it('are asked, stream, take WebSockets and uploads, many at once', async () => {
    await putLed('one');
    expect(await ask(gateway.httpPort, { headers })).toMatchObject({ status: 200, body: 'one' });
    const many = await Promise.all(Array.from({ length: 40 }, () => ask(gateway.httpPort, { headers })));
    expect(new Set(many.map(({ body }) => body))).toEqual(new Set(['one']));
    const body = Buffer.alloc(3_000_000, 'x');
    expect((await ask(gateway.httpPort, { headers, path: '/sink', method: 'POST', body })).body).toBe('3000000');
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.httpPort}/`, { headers: { ...headers, host: 'web.test' } });
    await new Promise((resolve) => socket.once('open', resolve));
    const echo = new Promise<string>((resolve) => socket.once('message', (message: Buffer) => resolve(message.toString()))); // prettier-ignore
    socket.send('hello');
    expect(await echo).toBe('one:hello');
    socket.close();
  });

  it('of which the server knows nothing are told so, and others are asked instead', async () => {
    await putLed('gone', 'one');
    for (let asked = 0; asked < 4; asked += 1)
      expect(await ask(gateway.httpPort, { headers })).toMatchObject({ status: 200, body: 'one' });
    expect((await status()).find(({ id }) => id === 'gone')?.problem?.text).toContain('leads to no such replica');
    await putLed('gone');
    expect((await ask(gateway.httpPort, { headers })).status).toBe(502);
  });

  it('go on being asked while one program of the gateway takes over from another, streams too', async () => {
    await putLed('one', 'two');
    const heard: string[] = [];
    const events = request(path(gateway.httpPort, '/events'), (reply) => {
      reply.setEncoding('utf8').on('data', (text: string) => heard.push(text));
    }).end();
    const teller = await until('the stream is open', () => one.waiting.pop() ?? two.waiting.pop() ?? false);
    const under = load(gateway.httpPort, { headers });
    await under.more(50);
    await gateway.start();
    await under.more(200);
    const { failed, answered } = await under.stop();
    expect([failed, answered > 250]).toEqual([[], true]);
    teller('still here');
    await until('the stream goes on', () => heard.join('').includes('still here'));
    events.destroy();
  });

  it('are away with the server, and back with it', async () => {
    await putLed('one');
    server.leave();
    await ready(false);
    expect((await status())[0]?.problem?.text).toContain('the server, through which the replica is reached');
    // It waits for the server, as for any first replica.
    const held = ask(gateway.httpPort, { headers });
    server = leadTo(gateway.dir, [one, two]);
    expect(await held).toMatchObject({ status: 200, body: 'one' });
    expect((await status())[0]).toMatchObject({ isReady: true, problem: null });
  });
});
