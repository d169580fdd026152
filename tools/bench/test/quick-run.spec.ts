import { BENCHES } from '../src/benches/index.js';

const isFull = process.env.DSTACK_TEST_FULL === '1';

(isFull ? describe : describe.skip)('every bench still works', () => {
  it.each(BENCHES.map(({ id, load }) => [id, load] as const))('%s', async (_id, load) => {
    const bench = await load();
    const measurements = await bench.run({ quick: true, say: () => undefined });
    expect(measurements.length).toBeGreaterThan(0);
    expect(measurements.filter(({ value }) => !Number.isFinite(value))).toEqual([]);
  });
});
