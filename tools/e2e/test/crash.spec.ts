import { CRASH_FAULTS } from '../src/crash/faults.js';
import type { CrashWorld } from '../src/crash/crash-world.js';
import { oneMachineWorld } from '../src/crash/one-machine-world.js';
import { runCase } from '../src/crash/run-case.js';
import { freePort } from '../src/free-port.js';
import { startPostgres } from '../src/postgres.js';

const postgres = await startPostgres(await freePort());

/** A sample; `npm run crash` runs the matrix. */
const samples: [string, () => Promise<CrashWorld>, string[]][] = [
  ['SQLite', () => oneMachineWorld(undefined), ['server killed', 'server and agent killed', 'disk full']],
];
if (postgres !== undefined) samples.push(['Postgres', () => oneMachineWorld(postgres), ['Postgres restarted']]);

describe.each(samples)('runs go on as if nothing had happened, %s', (_database, make, names) => {
  let world: CrashWorld;
  beforeAll(async () => {
    world = await make();
  });
  afterAll(() => world.close());

  const faults = CRASH_FAULTS.filter(({ name }) => names.includes(name));
  it.each(faults.map((fault, index) => [fault.name, fault, index + 1] as const))('%s', async (_name, fault, seed) => {
    // A disk that can be filled takes root.
    if (!fault.appliesTo(world)) return;
    expect((await runCase(world, fault, seed)).wrong).toEqual([]);
  });
});
