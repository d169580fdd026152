import { backendWarnings } from './plan-warnings.js';
import { priceOrigins } from './price-origins.js';

const offer = (backend: string, rest: object = {}) =>
  ({
    backend,
    region: 'r',
    price: 1,
    availability: 'unknown',
    instance: { name: 'm', resources: {} },
    ...rest,
  }) as never;

it.each([
  ['an older server', [offer('aws')], null],
  ['backends that were asked', [offer('lambda', { price_date: null, price_is_derived: false })], null],
  [
    'catalogs',
    [
      offer('aws', { price_date: '2026-07-20' }),
      offer('aws', { price_date: '2025' }),
      offer('gcp', { price_date: '2026', price_is_derived: true }),
      offer('lambda', { price_date: null }),
    ],
    'Catalog prices: aws of 2025, 2026-07-20; gcp of 2026; ~ computed from others',
  ],
])('prices of %s', (_what, offers, text) => expect(priceOrigins(offers)).toBe(text));

it('a backend that is missing is told once, whatever the jobs', () => {
  const plan = { backend_warnings: ['azure: not installed', 3] };
  expect(backendWarnings([plan, plan, {}, { backend_warnings: 'x' }])).toEqual(['azure: not installed']);
});
