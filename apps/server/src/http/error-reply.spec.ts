import { expect, it } from '@jest/globals';
import { DatabaseAwayError } from '../persistence/errors.js';
import { errorReply } from './error-reply.js';

it('a database that is away is nobody’s mistake and no bug: it is worth another try, and its address is nobody’s business', () => {
  const reply = errorReply(new DatabaseAwayError(new Error('connect ECONNREFUSED 10.0.0.2:5432')));
  expect(reply).toMatchObject({ status: 503 });
  expect(JSON.stringify(reply?.body)).toMatch(/does not answer\. Try again/);
  expect(JSON.stringify(reply?.body)).not.toContain('10.0.0.2');
});

it('a bug has no answer of its own', () => {
  expect(errorReply(new TypeError('x is not a function'))).toBeUndefined();
});
