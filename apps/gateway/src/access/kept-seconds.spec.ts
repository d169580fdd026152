import { type KeptQuestion, keptSeconds } from './kept-seconds.js';

const question: KeptQuestion = { auth: true, isAdmitted: true, now: 10_000, expiresAt: null, heldUntil: 3_600_000 };

it.each<[string, Partial<KeptQuestion>, number]>([
  ['a member', {}, 2],
  ['a stranger', { isAdmitted: false }, 0],
  ['whoever asks an open service', { auth: false }, 0],
  ['a token that holds for long', { expiresAt: 20_000 }, 2],
  ['a token that is about to expire', { expiresAt: 12_500 }, 1],
  ['a token that expires now', { expiresAt: 11_000 }, 0],
  ['a token that has expired', { expiresAt: 9_000 }, 0],
  ['a word of the server that is about to lapse', { heldUntil: 12_100 }, 1],
  ['a word of the server that has lapsed', { heldUntil: 0 }, 0],
])('%s', (_what, more, expected) => expect(keptSeconds({ ...question, ...more })).toBe(expected));
