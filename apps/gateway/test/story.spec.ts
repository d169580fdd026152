import { ask, load, stopLoads } from './support/ask.js';
import { echoOf } from './support/echo.js';
import { openStream } from './support/event-stream.js';
import { type Replica, startReplica } from './support/replica.js';
import { type Sshd, startSshd } from './support/sshd.js';
import {
  ACCESS,
  canServe,
  hashOf,
  makeGateway,
  put,
  serviceOf,
  signal,
  stateOf,
  STRANGER,
  type TestGateway,
  TOKEN,
} from './support/test-gateway.js';
import { until } from './support/until.js';

const bearer = { authorization: `Bearer ${TOKEN}` };
let host: Sshd;
let gateway: TestGateway;
let one: Replica;
let two: Replica;

beforeAll(async () => {
  if (!canServe) return;
  [host, gateway, one, two] = await Promise.all([startSshd(), makeGateway(), startReplica('one'), startReplica('two')]);
  await gateway.start();
});

afterAll(async () => {
  if (!canServe) return;
  await gateway.remove();
  await Promise.all([host.remove(), one.kill(), two.kill()]);
});

afterEach(stopLoads);

const story = canServe ? it : it.skip;
/** What takes seconds and is seen from other sides as well. */
const longStory = canServe && process.env['DSTACK_TEST_FULL'] === '1' ? it : it.skip;

story('a member asks, and the replica sees who came but not the token', async () => {
  await put(gateway, stateOf(host, [serviceOf(host, [one])]));
  const forged = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https', forwarded: 'for=6.6.6.6' };
  const answer = await ask(gateway.httpPort, { path: '/a//b/../c%2Fd?q=%00', headers: { ...bearer, ...forged } });
  expect([answer.status, answer.body]).toEqual([200, 'one']);
  const seen = one.seen.at(-1);
  expect(seen?.url).toBe('/a//b/../c%2Fd?q=%00');
  expect(seen?.headers).toMatchObject({
    host: `web.test:${gateway.httpPort}`,
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
    'x-real-ip': '127.0.0.1',
  });
  expect(seen?.headers).not.toHaveProperty('authorization');
  expect(seen?.headers).not.toHaveProperty('forwarded');
});

story('nobody else gets in, and a revoked token is out with the next request', async () => {
  for (const headers of [{}, { authorization: `Bearer ${STRANGER}` }, { authorization: 'Basic YTpi' }])
    expect((await ask(gateway.httpPort, { headers })).status).toBe(403);
  expect((await ask(gateway.httpPort, { host: 'other.test', headers: bearer })).status).toBe(404);
  await gateway.client.putAccess({ revision: 2, tokens: [] }, signal);
  expect((await ask(gateway.httpPort, { headers: bearer })).status).toBe(403);
  await expect(gateway.client.putAccess(ACCESS, signal)).rejects.toThrow('revision 2 already');
  await gateway.client.putAccess({ ...ACCESS, revision: 3 }, signal);
  expect((await ask(gateway.httpPort, { headers: bearer })).status).toBe(200);
});

story('an open service gets what is not ours, and never what is', async () => {
  const open = serviceOf(host, [one], { host: 'open.test', auth: false });
  await put(gateway, stateOf(host, [serviceOf(host, [one]), open], { access: { ...ACCESS, revision: 3 } }));
  const seenWith = async (authorization: string): Promise<unknown> => {
    expect((await ask(gateway.httpPort, { host: 'open.test', headers: { authorization } })).status).toBe(200);
    return one.seen.at(-1)?.headers.authorization;
  };
  expect(await seenWith('Bearer key-of-the-service')).toBe('Bearer key-of-the-service');
  expect(await seenWith('Basic YTpi')).toBe('Basic YTpi');
  expect(await seenWith(`Bearer ${TOKEN}`)).toBeUndefined();
  expect(await seenWith(`bearer ${STRANGER}`)).toBeUndefined();
});

story('streams come as they are sent, and a client that goes is told to the replica', async () => {
  const stream = await openStream(gateway, one, bearer);
  for (const word of ['a', 'b']) await stream.say(word);
  await stream.leave();
});

story('WebSockets and long uploads go through', async () => {
  expect(await echoOf(gateway, bearer)).toBe('one:hello');
  const body = Buffer.alloc(16 * 1024 * 1024, 'x');
  const answer = await ask(gateway.httpPort, { method: 'POST', path: '/sink', headers: bearer, body });
  expect(answer.body).toBe(String(body.length));
});

story('replicas come, go and die under load, and nobody notices', async () => {
  const access = { ...ACCESS, revision: 3 };
  await put(gateway, stateOf(host, [serviceOf(host, [one])], { access }));
  const gets = load(gateway.httpPort, { headers: bearer });
  const posts = load(gateway.httpPort, { method: 'POST', path: '/sink', headers: bearer, body: 'x' });
  const both = (count: number): Promise<unknown> => Promise.all([gets.more(count), posts.more(count)]);
  await both(20);
  // Another one, another service (nginx reloads), and the first one goes while it works.
  await put(gateway, stateOf(host, [serviceOf(host, [one, two])], { access }));
  await both(50);
  await put(gateway, stateOf(host, [serviceOf(host, [one, two]), serviceOf(host, [one], { host: 'b.test' })], { access })); // prettier-ignore
  await both(50);
  await put(gateway, stateOf(host, [serviceOf(host, [two])], { access }));
  await both(50);
  const three = await startReplica('three');
  await put(gateway, stateOf(host, [serviceOf(host, [two, three])], { access }));
  await both(20);
  // It is not there any more, but nobody has said so yet.
  await three.kill();
  await both(50);
  const [got, posted] = [await gets.stop(), await posts.stop()];
  expect([got.failed, posted.failed.filter((failure) => !failure.startsWith('502'))]).toEqual([[], []]);
  // What the replica had seen when it died is not sent to another one.
  expect(posted.failed.length).toBeLessThanOrEqual(4);
  const { services } = await gateway.client.status({ after: 0, waitMs: 0 }, signal);
  const problems = services[0]?.replicas.map(({ id, problem }) => [id, problem?.kind ?? null]);
  expect(problems).toEqual([
    ['two', null],
    ['three', 'tunnel'],
  ]);
});

story('without replicas requests wait for one; too many or too long, and they are told to come again', async () => {
  const access = { ...ACCESS, revision: 3 };
  const hold = { places: 2, seconds: 60 };
  await put(gateway, stateOf(host, [serviceOf(host, [], { hold })], { access }));
  const told = gateway.client.stats({ after: 0, waitMs: 60_000 }, signal);
  const waiting = [ask(gateway.httpPort, { headers: bearer }), ask(gateway.httpPort, { headers: bearer })];
  // The server hears of it at once.
  expect((await told).services[0]?.traffic.held).toBeGreaterThan(0);
  await until('both wait', async () => {
    const { services } = await gateway.client.stats({ after: 0, waitMs: 0 }, signal);
    return services[0]?.traffic.held === 2;
  });
  const third = await ask(gateway.httpPort, { headers: bearer });
  expect([third.status, third.headers['retry-after']]).toEqual([503, '10']);
  await put(gateway, stateOf(host, [serviceOf(host, [two], { hold })], { access }));
  expect((await Promise.all(waiting)).map(({ body }) => body)).toEqual(['two', 'two']);
  await put(gateway, stateOf(host, [serviceOf(host, [], { hold: { places: 2, seconds: 0 } })], { access }));
  expect((await ask(gateway.httpPort, { headers: bearer })).status).toBe(503);
});

story('tells what was asked, by replica, second and status', async () => {
  await put(gateway, stateOf(host, [serviceOf(host, [two], { host: 'counted.test' })], { access: { ...ACCESS, revision: 3 } })); // prettier-ignore
  for (const path of ['/', '/', '/broken'])
    await ask(gateway.httpPort, { host: 'counted.test', path, headers: bearer });
  await ask(gateway.httpPort, { host: 'counted.test' });
  const open = ask(gateway.httpPort, { host: 'counted.test', path: '/wait', headers: bearer });
  const say = await until('it is asked', () => two.waiting.pop() ?? null);
  const [service] = (await gateway.client.stats({ after: 0, waitMs: 0 }, signal)).services;
  expect(service?.traffic.inFlight).toEqual({ two: 1 });
  // A broken GET is one request, however often it was tried; a refused one never reached a replica.
  expect(service?.traffic.groups['0']?.map(({ seconds, requests }) => [seconds, requests])).toEqual([
    [30, 3],
    [60, 3],
    [300, 3],
  ]);
  say('done');
  await open;
  const seconds = await until('the seconds are over', async () => {
    const [counted] = (await gateway.client.stats({ after: 0, waitMs: 0 }, signal)).services;
    return (counted?.seconds.reduce((sum, { requests }) => sum + requests, 0) ?? 0) === 4 && (counted?.seconds ?? null);
  });
  const statuses = seconds.flatMap((each) => Object.entries(each.statuses));
  const count = (key: string): number => statuses.reduce((sum, [name, n]) => sum + (name === key ? n : 0), 0);
  expect([count('2'), count('5')]).toEqual([3, 1]);
});

story('is replaced in place: no request fails, a stream goes on, one that waits is served', async () => {
  const access = { ...ACCESS, revision: 3 };
  const services = [serviceOf(host, [one, two]), serviceOf(host, [], { host: 'zero.test' })];
  await put(gateway, stateOf(host, services, { access }));
  const before = [gateway.pid('gateway'), gateway.pid('nginx')];
  const busy = load(gateway.httpPort, { headers: bearer });
  const long = ask(gateway.httpPort, { path: '/wait', headers: bearer });
  const say = await until('it is asked', () => one.waiting.pop() ?? two.waiting.pop() ?? null);
  const held = ask(gateway.httpPort, { host: 'zero.test', headers: bearer });
  await until('it waits', async () => {
    const stats = await gateway.client.stats({ after: 0, waitMs: 0 }, signal);
    return stats.services.some(({ traffic }) => traffic.held === 1);
  });
  await busy.more(20);
  await gateway.start();
  expect([gateway.pid('gateway') === before[0], gateway.pid('nginx') === before[1]]).toEqual([false, true]);
  // What was asked before is not forgotten.
  const [counted] = (await gateway.client.stats({ after: 0, waitMs: 0 }, signal)).services;
  expect(counted?.traffic.groups['0']?.at(-1)?.requests).toBeGreaterThanOrEqual(20);
  await busy.more(50);
  await put(gateway, stateOf(host, [serviceOf(host, [one, two]), serviceOf(host, [two], { host: 'zero.test' })], { access })); // prettier-ignore
  expect((await held).body).toBe('two');
  say('still here');
  expect((await long).body).toBe('still here');
  expect((await busy.stop()).failed).toEqual([]);
  await until('the former program has ended', () => !isAlive(before[0] ?? 0));
});

longStory('goes on without its server after it and nginx were killed, for as long as its word holds', async () => {
  const access = { ...ACCESS, revision: 3 };
  const open = serviceOf(host, [two], { host: 'open.test', auth: false });
  await put(gateway, stateOf(host, [serviceOf(host, [one]), open], { access, holdSeconds: 3600 }));
  for (const name of ['gateway', 'nginx'] as const) process.kill(gateway.pid(name), 'SIGKILL');
  await gateway.start();
  await until('it serves again', async () => {
    const answer = await ask(gateway.httpPort, { headers: bearer }).catch(() => null);
    return answer?.status === 200;
  });
  // Its word holds no longer: whose token was revoked is not known.
  await gateway.client.putState(stateOf(host, [serviceOf(host, [one]), open], { access, holdSeconds: 0 }), signal);
  await until('a moment has passed', async () => (await ask(gateway.httpPort, { headers: bearer })).status !== 200);
  const stale = await ask(gateway.httpPort, { headers: bearer });
  expect([stale.status, stale.headers['retry-after']]).toEqual([503, '60']);
  expect((await ask(gateway.httpPort, { host: 'open.test' })).status).toBe(200);
});

longStory('a host that is gone is said to be, and found again', async () => {
  const access = { ...ACCESS, revision: 3 };
  await put(gateway, stateOf(host, [serviceOf(host, [one])], { access }));
  await host.kill();
  const lost = await until('it is noticed', async () => {
    const { services } = await gateway.client.status({ after: 0, waitMs: 0 }, signal);
    return services[0]?.replicas.find(({ problem }) => problem !== null) ?? null;
  });
  expect(lost).toMatchObject({ id: 'one', isReady: false, problem: { kind: 'tunnel' } });
  const held = ask(gateway.httpPort, { headers: bearer });
  await host.start();
  expect((await held).body).toBe('one');
});

story('keeps no secret where others read', () => {
  expect(gateway.log()).not.toMatch(/PRIVATE KEY|a-token-of/);
  expect(hashOf(TOKEN)).toHaveLength(64);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
