import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '../src/free-port.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { type PostgresServer, startPostgres } from '../src/postgres.js';
import { repositoryRoot, serverProgram } from '../src/programs.js';
import { serversOnOneMachine } from '../src/replicas/one-machine.js';
import { countTicks, ENDED, runOf, submitTicking, type TickingRun, ticksIn } from '../src/replicas/ticking-run.js';
import type { Stack } from '../src/stack.js';

const former = isFullRun ? formerServer() : { why: OF_FULL_RUN };
if ('why' in former && isFullRun) console.warn(`The story of a rolling upgrade is left out: ${former.why}`);

/** The version before the newest migration, where this checkout has it. */
function formerServer(): { readonly program: string } | { readonly why: string } {
  try {
    const script = join(repositoryRoot, 'tools/ci/make-former-server.sh');
    return { program: execFileSync('bash', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim() };
  } catch (error) {
    return { why: error instanceof Error ? error.message : String(error) };
  }
}

('program' in former ? describe : describe.skip)(
  'two servers on Postgres that are replaced one after the other',
  () => {
    let postgres: PostgresServer | undefined;
    let servers: Stack[] = [];
    const runs: TickingRun[] = [];

    beforeAll(async () => {
      postgres = await startPostgres(await freePort());
      if (postgres === undefined) throw new Error('Postgres is not installed');
      servers = serversOnOneMachine(2, postgres);
    }, 60_000);
    afterAll(async () => {
      await Promise.all(servers.map((server) => server.close()));
      await postgres?.stop();
    }, 60_000);

    const submit = async (server: Stack, name: string, ticks: number): Promise<void> => {
      const run = { name, ticks, more: 'retry: {on_events: [no-capacity], duration: 10m}' };
      await submitTicking(server, run);
      runs.push(run);
    };
    const migrations = (): string[] => postgres?.ask('SELECT name FROM migrations') ?? [];

    it('migrate once when they start at the same time', async () => {
      for (const server of servers) server.program = 'program' in former ? former.program : serverProgram;
      await Promise.all(servers.map((server) => server.start()));
      const before = migrations();
      expect(before.length).toBeGreaterThan(5);
      expect(new Set(before).size).toBe(before.length);
    }, 60_000);

    it('keep the work going while their versions differ', async () => {
      const [first, second] = servers;
      if (first === undefined || second === undefined) throw new Error('there are two servers');
      const before = migrations().length;
      await submit(first, 'of-the-old', 50);
      await first.until('it to run', async () => (await runOf(first, 'of-the-old')).status === 'running');
      await first.killServer('SIGTERM');
      first.program = serverProgram;
      await first.start();
      expect(migrations().length).toBeGreaterThan(before);
      await submit(first, 'of-the-new', 6);
      await submit(second, 'of-the-old-beside', 6);
      await second.until('the new to run', async () => (await runOf(second, 'of-the-new')).status !== 'submitted');
      await second.killServer('SIGTERM');
      second.program = serverProgram;
      await second.start();
      await submit(second, 'of-the-second', 6);
    }, 120_000);

    it('lose nothing and do nothing twice', async () => {
      const [first] = servers;
      if (first === undefined) throw new Error('there are two servers');
      for (const { name, ticks } of runs) {
        await first.until(`${name} to end`, async () => ENDED.has((await runOf(first, name)).status), 120_000);
        const counts = countTicks(ticksIn((await first.cli(['logs', name])).stdout), ticks);
        expect({ name, ...(await runOf(first, name)), ...counts }).toEqual({ name, status: 'done', starts: 1, lost: 0, doubled: 0 }); // prettier-ignore
      }
    }, 300_000);
  },
);
