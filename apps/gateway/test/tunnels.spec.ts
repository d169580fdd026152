import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ask, load, stopLoads } from './support/ask.js';
import { echoOf } from './support/echo.js';
import { openStream } from './support/event-stream.js';
import { askSeen, loggedRequests, tunnelCommands, untilPast } from './support/past-program.js';
import { type Replica, startReplica } from './support/replica.js';
import { type Sshd, startSshd } from './support/sshd.js';
import { ACCESS, canServe, makeGateway, put, serviceOf, signal, stateOf, type TestGateway, TOKEN } from './support/test-gateway.js'; // prettier-ignore
import { until } from './support/until.js';

const headers = { authorization: `Bearer ${TOKEN}` };
let host: Sshd;
let gateway: TestGateway;
let one: Replica;
let two: Replica;

(canServe ? describe : describe.skip)('requests that go past the program', () => {
  beforeAll(async () => {
    [host, gateway, one, two] = await Promise.all([startSshd(), makeGateway(), startReplica('one'), startReplica('two')]); // prettier-ignore
    await gateway.start();
  });
  afterAll(async () => {
    await gateway.remove();
    await Promise.all([host.remove(), one.kill(), two.kill()]);
    expect([...tunnelCommands(gateway)]).toEqual([]);
  });
  afterEach(stopLoads);

  const serve = async (...replicas: Replica[]): Promise<string> => {
    await put(gateway, stateOf(host, [serviceOf(host, replicas)], { access: { ...ACCESS, revision: 1 } }));
    return untilPast(gateway);
  };
  const traffic = async () => (await gateway.client.stats({ after: 0, waitMs: 0 }, signal)).services[0]?.traffic;

  it('keep what they are: path, who came, without the token', async () => {
    await serve(one);
    const forged = { 'x-forwarded-for': '6.6.6.6', forwarded: 'for=6.6.6.6', connection: 'X-Once', 'x-once': '1' };
    const answer = await askSeen(gateway, { path: '/a//b/../c%2Fd?q=%00', headers: { ...headers, ...forged } });
    expect([answer.status, answer.body, answer.tunnel !== '']).toEqual([200, 'one', true]);
    const seen = one.seen.at(-1);
    expect(seen?.url).toBe('/a//b/../c%2Fd?q=%00');
    expect(seen?.headers).toMatchObject({
      host: `web.test:${gateway.httpPort}`,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    });
    for (const name of ['authorization', 'forwarded', 'upgrade']) expect(seen?.headers).not.toHaveProperty(name);
  });

  it('stream as they come, and a client that goes is told to the replica', async () => {
    await serve(one);
    const stream = await openStream(gateway, one, headers);
    for (const word of ['a', 'b']) await stream.say(word);
    expect((await traffic())?.inFlight['one']).toBeGreaterThanOrEqual(1);
    await stream.leave();
  });

  it('bring bodies of any length; WebSockets go through the program', async () => {
    await serve(one);
    const body = Buffer.alloc(16 * 1024 * 1024, 'x');
    const answer = await askSeen(gateway, { method: 'POST', path: '/sink', headers, body });
    expect([answer.body, answer.tunnel !== '']).toEqual([String(body.length), true]);
    expect(await echoOf(gateway, headers)).toBe('one:hello');
    await until('it is in the log', () => loggedRequests(gateway).some(({ path }) => path === '/ws'));
    expect(loggedRequests(gateway).find(({ path }) => path === '/ws')).toMatchObject({ status: 101, tunnel: '' });
  });

  it('are counted as those through the program are', async () => {
    const former = await serve(two);
    const before = (await traffic())?.groups['0']?.at(-1)?.requests ?? 0;
    for (let asked = 0; asked < 7; asked += 1) await ask(gateway.httpPort, { headers });
    expect((await askSeen(gateway, { headers: { authorization: 'Bearer nobody' } })).tunnel).toBe('');
    expect(await until('all are counted', async () => {
      const count = ((await traffic())?.groups['0']?.at(-1)?.requests ?? 0) - before;
      return count >= 7 && count;
    })).toBe(7); // prettier-ignore
    expect(loggedRequests(gateway).some(({ tunnel }) => tunnel === former)).toBe(true);
  });

  it('go on for a moment while the program stands still: nobody asks it', async () => {
    await serve(one);
    await ask(gateway.httpPort, { headers });
    process.kill(gateway.pid('gateway'), 'SIGSTOP');
    try {
      expect((await ask(gateway.httpPort, { headers })).body).toBe('one');
    } finally {
      process.kill(gateway.pid('gateway'), 'SIGCONT');
    }
  });

  it('a revoked token is out with the next request, although nginx does not ask each time', async () => {
    await serve(one);
    for (let asked = 0; asked < 3; asked += 1) expect((await ask(gateway.httpPort, { headers })).status).toBe(200);
    await gateway.client.putAccess({ revision: 2, tokens: [] }, signal);
    expect((await ask(gateway.httpPort, { headers })).status).toBe(403);
    await gateway.client.putAccess({ ...ACCESS, revision: 3 }, signal);
    expect((await ask(gateway.httpPort, { headers })).status).toBe(200);
  });

  it('a tunnel that dies is made again, and nobody notices', async () => {
    await put(gateway, stateOf(host, [serviceOf(host, [one])], { access: { ...ACCESS, revision: 3 } }));
    await untilPast(gateway);
    const gets = load(gateway.httpPort, { headers });
    await gets.more(20);
    const before = new Set(tunnelCommands(gateway).keys());
    for (const pid of before) process.kill(pid, 'SIGKILL');
    await gets.more(100);
    await until('there is another one', () => [...tunnelCommands(gateway).keys()].some((pid) => !before.has(pid)));
    await untilPast(gateway);
    expect((await gets.stop()).failed).toEqual([]);
  });

  it('a replica that is gone gets no more of them: another one does, and without one the program says so', async () => {
    const access = { ...ACCESS, revision: 3 };
    const three = await startReplica('three');
    await put(gateway, stateOf(host, [serviceOf(host, [one, three])], { access }));
    const tunnels = new Set<string>();
    await until('both are reached past the program', async () => {
      tunnels.add(await untilPast(gateway));
      return tunnels.size === 2;
    });
    const gets = load(gateway.httpPort, { headers });
    await gets.more(20);
    await three.kill();
    await gets.more(200);
    expect((await gets.stop()).failed).toEqual([]);
    // Posts as well, once it was noticed.
    for (let asked = 0; asked < 20; asked += 1)
      expect((await ask(gateway.httpPort, { method: 'POST', path: '/sink', headers, body: 'x' })).status).toBe(200);
    await put(gateway, stateOf(host, [serviceOf(host, [three])], { access }));
    const answer = await ask(gateway.httpPort, { headers });
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      502,
      { detail: 'No replica of the service can be reached' },
    ]);
    // It is back at the same port.
    const again = await startReplica('three', three.port);
    await untilPast(gateway);
    await again.kill();
    await put(gateway, stateOf(host, [serviceOf(host, [], { hold: { places: 1, seconds: 0 } })], { access }));
    const none = await ask(gateway.httpPort, { headers });
    expect([none.status, none.headers['retry-after']]).toEqual([503, '10']);
  });

  it('a replica that is taken out ends what it has, is told as busy until then, and gets nothing new', async () => {
    const access = { ...ACCESS, revision: 3 };
    await put(gateway, stateOf(host, [serviceOf(host, [one])], { access }));
    await untilPast(gateway);
    const long = ask(gateway.httpPort, { path: '/wait', headers });
    const say = await until('it is asked', () => one.waiting.pop() ?? null);
    const busy = load(gateway.httpPort, { headers });
    await busy.more(10);
    await put(gateway, stateOf(host, [serviceOf(host, [two])], { access }));
    const seen = one.seen.length;
    await busy.more(50);
    expect(one.seen).toHaveLength(seen);
    await until('it is told', async () => (await traffic())?.inFlight['one'] === 1);
    say('done');
    expect((await long).body).toBe('done');
    await until('nothing is left', async () => (await traffic())?.inFlight['one'] === undefined);
    await untilPast(gateway);
    expect((await busy.stop()).failed).toEqual([]);
    await until('its tunnel has ended', () => tunnelCommands(gateway).size === 1);
  });

  it('another program takes over: streams go on, and its own tunnels come', async () => {
    const long = ask(gateway.httpPort, { path: '/wait', headers });
    const say = await until('it is asked', () => two.waiting.pop() ?? null);
    const former = await untilPast(gateway);
    const busy = load(gateway.httpPort, { headers });
    await busy.more(20);
    await gateway.start();
    await until('there is another tunnel', async () => (await untilPast(gateway)) !== former);
    say('still here');
    expect((await long).body).toBe('still here');
    expect((await busy.stop()).failed).toEqual([]);
    await until('the former tunnel has ended', () => tunnelCommands(gateway).size === 1);
  });

  it('tunnels of a program that was killed go on until there are others', async () => {
    const former = [...tunnelCommands(gateway).keys()];
    const long = ask(gateway.httpPort, { path: '/wait', headers });
    const say = await until('it is asked', () => two.waiting.pop() ?? null);
    process.kill(gateway.pid('gateway'), 'SIGKILL');
    await gateway.start();
    await until('there is another one', () => tunnelCommands(gateway).size === 2);
    await untilPast(gateway);
    say('still here');
    expect((await long).body).toBe('still here');
    await until('they have ended', () => !former.some((pid) => tunnelCommands(gateway).has(pid)));
  });

  it('lead through jump hosts', async () => {
    const [replica] = serviceOf(host, [one]).replicas;
    if (replica === undefined) throw new Error('no replica');
    const behind = serviceOf(host, [], { replicas: [{ ...replica, hops: [host.hop, host.hop] }] });
    await put(gateway, stateOf(host, [behind], { access: { ...ACCESS, revision: 3 } }));
    await until('requests go through both', async () => {
      await untilPast(gateway);
      const { body, tunnel } = await askSeen(gateway, { headers });
      return body === 'one' && tunnel !== '';
    });
    expect([...tunnelCommands(gateway).values()].flat()).toContain('-W');
  });

  it('keep keys and tokens to themselves', async () => {
    await untilPast(gateway);
    const words = [...tunnelCommands(gateway).values()].flat().join(' ');
    expect(words).toContain(' -F ');
    expect(words).not.toContain('PRIVATE');
    // Whoever has logged in needs no key any more.
    expect(readdirSync(join(gateway.dir, 'run', 'k'))).toEqual([]);
    expect(statSync(join(gateway.dir, 'run', 'k')).mode & 0o777).toBe(0o700);
    const own = ['gateway.log', 'nginx/error.log', 'nginx/access.log', 'nginx/nginx.conf'];
    for (const name of own) expect(readFileSync(join(gateway.dir, name), 'utf8')).not.toMatch(/PRIVATE KEY|a-token-of/);
    const found = spawnSync('grep', ['-rlsF', TOKEN, gateway.dir], { encoding: 'utf8' });
    expect(found.stdout).toBe('');
  });
});

(canServe ? it : it.skip)('without a client of OpenSSH all go through the program', async () => {
  const [sshd, alone, replica] = await Promise.all([startSshd(), makeGateway(), startReplica('alone')]);
  try {
    await alone.start('--ssh', '/nonexistent/ssh');
    await put(alone, stateOf(sshd, [serviceOf(sshd, [replica])]));
    expect(await askSeen(alone, { headers })).toMatchObject({ body: 'alone', tunnel: '' });
    expect(tunnelCommands(alone).size).toBe(0);
  } finally {
    await alone.remove();
    await Promise.all([sshd.remove(), replica.kill()]);
  }
});
