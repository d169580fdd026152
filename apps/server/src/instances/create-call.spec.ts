import { BackendError } from '@dstack/backend-base';
import { describe, expect, it } from '@jest/globals';
import { arrivalMs, isDefiniteFailure, mayStillArrive } from './create-call.js';

const T = 1_000_000;
const MIN = 60_000;

describe('a create call without an answer', () => {
  const token = { idempotency: { kind: 'token' } } as const;
  it.each([
    ['was never made', null, token, T, false],
    ['may make a machine while it may take', T, token, T + 2 * MIN, true],
    ['and while what it sent may be under way', T, token, T + 3 * MIN, true],
    ['not after that', T, token, T + 3 * MIN + 1, false],
    [
      'but a slow list shows it later',
      T,
      { idempotency: { kind: 'lookup', listLagMs: MIN } } as const,
      T + 4 * MIN,
      true,
    ],
    ['and some die with their caller', T, { ...token, createArrivesMs: 0 }, T + 1, false],
  ])('%s', (_rule, askedAt, definition, now, expected) => {
    expect(mayStillArrive({ askedAt }, arrivalMs(definition), now)).toBe(expected);
  });
});

describe('a create call that failed', () => {
  const failure = (kind: 'no-capacity' | 'outage' | 'throttled'): BackendError =>
    new BackendError({ kind, blocks: 'offer' }, kind);

  it('is over when the cloud says so', () => {
    expect(isDefiniteFailure(failure('no-capacity'), { askedAt: null }, T)).toBe(true);
  });

  it.each(['outage', 'throttled'] as const)('is not over after %s', (kind) => {
    expect(isDefiniteFailure(failure(kind), { askedAt: null }, T)).toBe(false);
  });

  it('is not over when a key that is not taken any more follows on an earlier call', () => {
    const refused = new BackendError({ kind: 'credentials', blocks: 'account' }, 'the key is not valid');
    expect(isDefiniteFailure(refused, { askedAt: T - 60 * MIN }, T)).toBe(false);
    expect(isDefiniteFailure(refused, { askedAt: null }, T)).toBe(true);
  });

  it('is not over when an earlier try of it had no answer', () => {
    const refused = new BackendError(
      { kind: 'credentials', blocks: 'account', afterLostTry: true },
      'the key is not valid',
    );
    expect(isDefiniteFailure(refused, { askedAt: null }, T)).toBe(false);
  });

  it('does not speak for an earlier call that may still arrive', () => {
    expect(isDefiniteFailure(failure('no-capacity'), { askedAt: T }, T + MIN)).toBe(false);
    expect(isDefiniteFailure(failure('no-capacity'), { askedAt: T }, T + 4 * MIN)).toBe(true);
  });

  it('is not over when the server itself failed', () => {
    expect(isDefiniteFailure(new Error('no database'), { askedAt: null }, T)).toBe(false);
  });
});
