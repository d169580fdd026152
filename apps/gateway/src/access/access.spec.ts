import { createHash } from 'node:crypto';
import { decideAccess } from './decide-access.js';
import { bearerToken, TokenBook } from './token-access.js';

const hash = (token: string): string => createHash('sha256').update(token).digest('hex');
const member = { hash: hash('t'), projects: ['main'], expiresAt: null };
const admin = { ...member, projects: '*' as const };
const nobody = { ...member, projects: [] };

it.each([
  ['a member', { auth: true, token: member }, 'in, dropped'],
  ['an admin', { auth: true, token: admin }, 'in, dropped'],
  ['a stranger', { auth: true, token: nobody }, 'stranger'],
  ['nobody', { auth: true, token: undefined }, 'stranger'],
  ['a member after long silence of the server', { auth: true, token: member, isStale: true }, 'stale'],
  ['anybody at an open service', { auth: false, token: undefined }, 'in, kept'],
  ['a stranger at an open service: the token is not for the replica', { auth: false, token: nobody }, 'in, dropped'],
  ['one that comes beside something else', { auth: false, token: undefined, hasToken: true }, 'in, dropped'],
  ['an open service after long silence', { auth: false, token: undefined, isStale: true }, 'in, kept'],
])('%s', (_who, question, expected) => {
  const decision = decideAccess({
    project: 'main',
    isStale: false,
    hasToken: question.token !== undefined,
    ...question,
  });
  const said = decision.kind === 'refused' ? decision.why : `in, ${decision.dropsCredential ? 'dropped' : 'kept'}`;
  expect(said).toBe(expected);
});

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
