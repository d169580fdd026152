import { errorReply } from './error-reply.js';

const withCode = (code: string) => Object.assign(new Error('low-level words'), { code });

describe('what is answered when a request fails', () => {
  it.each(['SQLITE_FULL', '53100', 'ENOSPC'])('of room (%s): that it is not the request, for the log too', (code) => {
    expect(errorReply(withCode(code))).toEqual({
      status: 503,
      isOurs: true,
      body: { detail: 'The disk of the server or its database is full' },
    });
  });

  it('of a bug: nothing', () => {
    expect(errorReply(new Error('low-level words'))).toBeUndefined();
  });
});
