import { whyNoTestHosts } from '@dstack/test-hosts';
import type { RunningCommand } from '../src/command.js';
import type { CrashWorld } from '../src/crash/crash-world.js';
import { ownHostsWorld } from '../src/crash/own-hosts-world.js';
import { freePort } from '../src/free-port.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { startPostgres } from '../src/postgres.js';
import { type Balancer, startBalancer } from '../src/replicas/balancer.js';
import { connectionsOf } from '../src/replicas/one-machine.js';
import { countTicks, ENDED, runOf, submitTicking, ticksIn } from '../src/replicas/ticking-run.js';
import { Stack } from '../src/stack.js';

const why = isFullRun ? whyNoTestHosts() : OF_FULL_RUN;
if (why !== null && isFullRun) console.warn(`The story of three servers behind a balancer is left out: ${why}`);

/** As long as a server that was killed may keep the work from going on. */
const RECOVERY_MS = 8_000;
const LONG = ['long-0', 'long-1', 'long-2', 'long-3'].map((name) => ({ name, ticks: 80 }));
/** More than there is room for: they are placed as room comes free, before and after the kill. */
const SHORT = Array.from({ length: 12 }, (_, index) => ({
  name: `short-${index}`,
  ticks: 4,
  more: 'retry: {on_events: [no-capacity], duration: 10m}',
}));

(why === null ? describe : describe.skip)('three servers on Postgres behind nginx', () => {
  /** Somebody who knows the balancer only. */
  const user = new Stack();
  let world: CrashWorld;
  let balancer: Balancer;
  const commands: RunningCommand[] = [];

  beforeAll(async () => {
    const postgres = await startPostgres(await freePort());
    if (postgres === undefined) throw new Error('Postgres is not installed');
    world = await ownHostsWorld(postgres);
    const started = await startBalancer(world.servers.map(({ url }) => url));
    if (started === undefined) throw new Error('nginx is not installed');
    balancer = started;
    user.url = balancer.url;
    user.token = world.servers[0]?.token ?? '';
  }, 180_000);
  afterAll(async () => {
    for (const { child } of commands) child.kill('SIGKILL');
    await user.close();
    await balancer?.stop();
    await world?.close();
  }, 120_000);

  const start = (stack: Stack, ...args: string[]): RunningCommand => {
    const command = stack.startCli(args);
    commands.push(command);
    return command;
  };
  const shows = (command: RunningCommand, what: string, isThere: (output: string) => boolean, limitMs?: number) =>
    user.until(what, () => Promise.resolve(isThere(command.output())), limitMs);

  it('take runs, whichever is asked', async () => {
    for (const run of LONG) await submitTicking(user, run);
    for (const { name } of LONG)
      await user.until(`${name} to run`, async () => (await runOf(user, name)).status === 'running');
  }, 120_000);

  it('each stream the logs of any run, and each lets anybody attach', async () => {
    for (const server of world.servers) {
      const log = start(server, 'logs', '-f', 'long-0');
      await shows(log, 'the log as it comes', (output) => ticksIn(output).length > 2);
      log.child.kill('SIGKILL');
      const attached = start(server, 'attach', 'long-1');
      await shows(attached, 'the attachment', (output) => output.includes('Ctrl+C detaches'));
      attached.child.kill('SIGINT');
      expect((await attached.done).code).toBe(0);
    }
  }, 120_000);

  it('go on within seconds when the busiest of them is killed', async () => {
    for (const run of SHORT) await submitTicking(user, run);
    const { postgres, servers } = world;
    if (postgres === undefined) throw new Error('the world has Postgres');
    const [victim] = [...connectionsOf(servers, postgres)].sort(([, a], [, b]) => b - a)[0] ?? [];
    const survivor = servers.find((server) => server !== victim);
    if (victim === undefined || survivor === undefined) throw new Error('the world has servers');
    const logs = LONG.map(({ name }) => start(survivor, 'logs', '-f', name));
    for (const log of logs) await shows(log, 'the log so far', (output) => ticksIn(output).length > 0);
    const killedAt = Date.now();
    await victim.killServer('SIGKILL');
    // Those behind the balancer notice nothing but a slower answer.
    expect((await user.cli(['ps'])).code).toBe(0);
    const recovered = logs.map(async (log) => {
      await shows(log, 'what was said after the kill', (output) => ticksIn(output).some(({ at }) => at > killedAt));
      return Date.now() - killedAt;
    });
    const slowest = Math.max(...(await Promise.all(recovered)));
    console.info(`recovered ${slowest} ms after the kill`);
    expect(slowest).toBeLessThan(RECOVERY_MS);
    await victim.start();
  }, 120_000);

  it('lose nothing and do nothing twice', async () => {
    for (const { name, ticks } of [...LONG, ...SHORT]) {
      await user.until(`${name} to end`, async () => ENDED.has((await runOf(user, name)).status), 180_000);
      const log = (await user.cli(['logs', name])).stdout;
      expect({ name, ...(await runOf(user, name)), ...countTicks(ticksIn(log), ticks) }).toEqual({
        name,
        status: 'done',
        starts: 1,
        lost: 0,
        doubled: 0,
      });
    }
    expect(await world.leftovers()).toEqual([]);
  }, 300_000);
});
