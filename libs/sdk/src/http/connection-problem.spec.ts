import { connectionProblem } from './connection-problem.js';

const withCode = (code: string) => Object.assign(new Error('low-level words'), { code });

describe('a server that does not answer', () => {
  it.each([
    ['http://127.0.0.1:3000', 'ECONNREFUSED', '(ECONNREFUSED)', 'Start it with: dstack server'],
    ['http://localhost:3000', 'ECONNRESET', '(ECONNRESET)', 'Start it with: dstack server'],
    ['https://dstack.example.org', 'ECONNREFUSED', '(ECONNREFUSED)', 'is the address right?'],
    ['https://localhost.example.org', 'ECONNREFUSED', '(ECONNREFUSED)', 'is the address right?'],
    ['http://no.invalid', 'ENOTFOUND', '(there is no host of this name; ENOTFOUND)', 'Check the address.'],
    ['https://127.0.0.1:3000', 'EPROTO', '(it does not speak TLS; EPROTO)', 'Is it an http:// address?'],
    ['https://a.example.org', 'CERT_HAS_EXPIRED', 'its certificate has expired', 'administrator'],
    ['https://a.example.org', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'is self-signed', 'NODE_EXTRA_CA_CERTS'],
  ])('%s, %s', (url, code, reason, hint) => {
    const problem = connectionProblem(url, withCode(code));
    expect(problem.message).toContain(`Cannot reach the dstack server at ${url} `);
    expect(problem.message).toContain(reason);
    expect(problem.hint).toContain(hint);
  });

  it('is asked again, unless its answer cannot change', () => {
    expect(connectionProblem('http://a', withCode('ECONNREFUSED'))).toMatchObject({ neverSent: true, lasting: false });
    expect(connectionProblem('http://a', withCode('ECONNRESET'))).toMatchObject({ neverSent: false, lasting: false });
    expect(connectionProblem('https://a', withCode('EPROTO'))).toMatchObject({ neverSent: false, lasting: true });
  });

  it('tells the words of an error without a code', () => {
    expect(connectionProblem('http://a', new Error('socket hang up')).message).toContain('(socket hang up)');
  });
});
