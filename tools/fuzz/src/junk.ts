import fc from 'fast-check';

/** What a broken or hostile client may put where anything else belongs. */
const PECULIAR: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1.5, 1e300, -1e300, 2 ** 31, 2 ** 53, 2 ** 63, Number.MAX_VALUE, 5e-324],
  ...[
    '',
    ' ',
    '\u0000',
    'a\u0000b',
    '\ud800',
    '\u202e',
    '\ufeff',
    'ｎａｍｅ',
    '💥'.repeat(20),
    'a'.repeat(5_000),
    '\n',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'null',
    'undefined',
    'NaN',
    'Infinity',
    '1e400',
    '0x10',
  ],
  ...[
    '../../etc/passwd',
    '..',
    '.',
    '/',
    'C:\\x',
    'a/../b',
    '%2e%2e%2f',
    '%00',
    "' OR 1=1 --",
    '%',
    '_',
    '${{ secrets.a }}',
  ],
  ...['0001-01-01T00:00:00Z', '999999-01-01T00:00:00Z', '2026-02-30T25:61:61Z', '-1', '9'.repeat(400), '${{', '🇩🇪'],
  ...[[], [[]], [null], {}, [{}], { type: 'task' }, { min: 2, max: 1 }, { __proto__: null }, Array(300).fill('x')],
];

/** Own keys of these names, which an object literal cannot have. */
const trap = fc
  .constantFrom('__proto__', 'constructor', 'toString', 'length', 'then')
  .chain((key) =>
    fc
      .constantFrom<unknown>(1, {}, null, 'x')
      .map((value) => JSON.parse(JSON.stringify({ x: value }).replace('"x"', `"${key}"`)) as unknown),
  );

const nested = fc
  .integer({ min: 10, max: 3_000 })
  .chain((depth) =>
    fc
      .boolean()
      .map(
        (list) =>
          JSON.parse(
            list ? '['.repeat(depth) + ']'.repeat(depth) : '{"a":'.repeat(depth) + '1' + '}'.repeat(depth),
          ) as unknown,
      ),
  );

export const junk: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...PECULIAR) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.double() },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  { weight: 1, arbitrary: trap },
  { weight: 1, arbitrary: nested },
);
