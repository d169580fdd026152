import { COMPUTE_CASES, WIRE_CASES, type ContractCase } from './compute-cases.js';
import type { ComputeOverAWire, ComputeUnderTest } from './compute-under-test.js';
import { afterEach, beforeEach, describe, it } from './runner.js';

/** The suite every backend passes, against a fake of its cloud. One fresh world per rule. */
export function describeCompute(name: string, start: () => Promise<ComputeUnderTest>): void {
  describeCases(`${name} keeps the compute contract`, COMPUTE_CASES, start);
}

/** The same, and what else must hold where answers can get lost. */
export function describeComputeOverAWire(name: string, start: () => Promise<ComputeOverAWire>): void {
  describeCompute(name, start);
  describeCases(`${name} over a wire`, WIRE_CASES, start);
}

function describeCases<World extends ComputeUnderTest>(
  title: string,
  cases: readonly ContractCase<World>[],
  start: () => Promise<World>,
): void {
  describe(title, () => {
    let world: World;
    beforeEach(async () => {
      world = await start();
    });
    afterEach(() => world.close());
    for (const { rule, check } of cases) it(rule, () => check(world));
  });
}
