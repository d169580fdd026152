import { CRASH_FAULTS } from '../src/crash/faults.js';
import type { CrashWorld } from '../src/crash/crash-world.js';
import { oneMachineWorld } from '../src/crash/one-machine-world.js';
import { runCase } from '../src/crash/run-case.js';

/** A sample; `npm run crash` runs the matrix. */
describe('runs go on as if nothing had happened', () => {
  let world: CrashWorld;
  beforeAll(async () => {
    world = await oneMachineWorld(undefined);
  });
  afterAll(() => world.close());

  const cases = CRASH_FAULTS.filter(({ name }) =>
    ['server killed', 'server and agent killed', 'disk full'].includes(name),
  );
  it.each(cases.map((fault, index) => [fault.name, fault, index + 1] as const))('%s', async (_name, fault, seed) => {
    // A disk that can be filled takes root.
    if (!fault.appliesTo(world)) return;
    expect((await runCase(world, fault, seed)).wrong).toEqual([]);
  });
});
