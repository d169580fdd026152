import { createHash } from 'node:crypto';
import { bearerToken, TokenBook } from './token-access.js';

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
const member = { hash: hash('t'), projects: ['main'], expiresAt: null };

it('an older list of tokens never replaces a newer one', () => {
  const book = new TokenBook();
  expect(book.take({ revision: 2, tokens: [] })).toBe(true);
  expect(book.take({ revision: 1, tokens: [member] })).toBe(false);
  expect(book.find('t', 0)).toBeUndefined();
  expect(book.take({ revision: 3, tokens: [{ ...member, expiresAt: 10 }] })).toBe(true);
  expect(book.find('t', 9)).toMatchObject({ projects: ['main'] });
  expect(book.find('t', 10)).toBeUndefined();
  expect(
    ['Bearer t', 'Bearer x, Bearer t', 'Token token="t"', 'Bearer tt', ''].map((each) => book.isIn(each, 9)),
  ).toEqual([true, true, true, false, false]);
});

it.each([
  ['Bearer abc', 'abc'],
  ['bearer  abc ', 'abc'],
  ['Bearer abc def', undefined],
  ['Basic abc', undefined],
  [undefined, undefined],
])('%s', (header, token) => expect(bearerToken(header)).toBe(token));
