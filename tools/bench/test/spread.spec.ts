import { median, quantile } from '../src/spread.js';

describe('quantiles by nearest rank', () => {
  it.each([
    [[3, 1, 2], 0.5, 2],
    [[1, 2, 3, 4], 0.5, 2],
    [[5], 0.99, 5],
    [Array.from({ length: 100 }, (_, index) => index + 1), 0.99, 99],
    [[1, 2], 0, 1],
    [[1, 2], 1, 2],
  ])('of %j at %d is %d', (values, share, expected) => {
    expect(quantile(values, share)).toBe(expected);
  });

  it('of nothing is an error', () => {
    expect(() => median([])).toThrow(RangeError);
  });
});
