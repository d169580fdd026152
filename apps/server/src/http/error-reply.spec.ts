import { DatabaseAwayError } from '../persistence/errors.js';
import { errorReply } from './error-reply.js';

const withCode = (code: string) => Object.assign(new Error('low-level words'), { code });

describe('what is answered when a request fails', () => {
  it.each(['SQLITE_FULL', '53100', 'ENOSPC'])(
    'for want of room (%s): that it is not the request, for the log too',
    (code) => {
      expect(errorReply(withCode(code))).toEqual({
        status: 503,
        isOurs: true,
        body: { detail: [{ msg: 'The disk of the server or its database is full', code: 'error' }] },
      });
    },
  );

  it('as the database is away: to try again, and not its address', () => {
    const reply = errorReply(new DatabaseAwayError(new Error('connect ECONNREFUSED 10.0.0.2:5432')));
    expect(reply).toMatchObject({ status: 503, isOurs: true });
    expect(JSON.stringify(reply?.body)).toMatch(/does not answer\. Try again/);
    expect(JSON.stringify(reply?.body)).not.toContain('10.0.0.2');
  });

  it('by a bug: nothing', () => {
    expect(errorReply(new TypeError('x is not a function'))).toBeUndefined();
  });
});
