import { freePort } from '../src/free-port.js';
import { isFullRun } from '../src/full-run.js';
import { type Pooler, startPooler } from '../src/pgbouncer.js';
import { type PostgresServer, startPostgres } from '../src/postgres.js';
import { SMALL, Stack } from '../src/stack.js';

(isFullRun ? describe : describe.skip)('two servers behind PgBouncer in transaction mode', () => {
  let postgres: PostgresServer | undefined;
  let pooler: Pooler | undefined;
  const stacks: Stack[] = [];
  beforeAll(async () => {
    postgres = await startPostgres(await freePort());
    pooler = postgres && (await startPooler(postgres.port, await freePort()));
  }, 60_000);
  afterAll(async () => {
    for (const stack of stacks) await stack.close();
    pooler?.stop();
    await postgres?.stop();
  }, 60_000);

  const start = async (env: NodeJS.ProcessEnv): Promise<Stack> => {
    const stack = new Stack({ DSTACK_DATABASE_URL: pooler?.url, ...env });
    stacks.push(stack);
    await stack.start();
    return stack;
  };

  it('do their work, and look for it where they cannot hear of it', async () => {
    if (pooler === undefined) return; // not installed
    const unaware = await start({});
    expect(unaware.serverLog()).toContain('a pooler is between this server and Postgres');
    const aware = await start({ DSTACK_DATABASE_LISTEN_URL: postgres?.url });
    expect(aware.serverLog()).not.toContain('a pooler is between');
    for (const [index, stack] of [unaware, aware].entries()) {
      const commands = `commands: ["for i in $(seq 50); do echo line $i; done"]`;
      const file = stack.file('task', `type: task\nname: pooled-${index}\n${commands}\n${SMALL}\n`);
      const applied = await stack.cli(['apply', '-y', '-f', file]);
      expect([applied.code, applied.stdout.match(/^line \d+$/gm)?.length]).toEqual([0, 50]);
    }
    // Whoever is asked knows all of it.
    expect(await unaware.statusOf('pooled-1')).toMatch(/done|exited/);
    expect((await unaware.cli(['logs', 'pooled-1'])).stdout).toContain('line 50');
  }, 180_000);
});
