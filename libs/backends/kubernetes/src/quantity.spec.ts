import { mib, parseQuantity, toMib } from './quantity.js';

it.each([
  ['0', 0],
  ['8', 8],
  ['250m', 0.25],
  ['1.5', 1.5],
  ['.5', 0.5],
  ['100u', 1e-4],
  ['1k', 1_000],
  ['128M', 128e6],
  ['1e3', 1_000],
  ['12E', 12e18],
  ['1E2', 100],
  ['64Ki', 65_536],
  ['16Gi', 17_179_869_184],
  ['2Ti', 2 * 2 ** 40],
  [' 4 ', 4],
])('%s is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 9);
});

it.each(['', 'Gi', '1 Gi', '1gb', '--1', '1.2.3', '0x10', 'NaN'])('%j is none', (text) => {
  expect(() => parseQuantity(text)).toThrow('not a quantity of Kubernetes');
});

it('counts memory in whole MiB, down for what there is and up for what is asked', () => {
  expect(toMib('1000000Ki')).toBe(976);
  expect(mib(976.2)).toBe('977Mi');
});
