import { bench } from '../src/benches/b11-cli-start.js';

const isFull = process.env.DSTACK_TEST_FULL === '1';

(isFull ? describe : describe.skip)('every bench still works', () => {
  it('B11', async () => {
    const measurements = await bench.run({ quick: true, say: () => undefined });
    expect(measurements.map(({ value }) => Number.isFinite(value) && value > 0)).not.toContain(false);
  });
});
