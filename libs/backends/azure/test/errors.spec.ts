import { BackendError } from '@dstack/backend-base';
import { explainAzure, triedAs } from '../src/errors.js';
import { explainSignIn, signInField } from '../src/sign-in-errors.js';

const NOW = 1_000_000;
const error = (name: string, over: object = {}) => Object.assign(new Error('what it says'), { name, ...over });
const headers = (seconds: string) => ({ headers: { get: () => seconds } });

describe('an error of the libraries', () => {
  it.each<[string, unknown, object]>([
    ['of default credentials', error('CredentialUnavailableError'), { kind: 'credentials', blocks: 'account' }],
    ['of all default credentials', error('AggregateAuthenticationError'), { kind: 'credentials', blocks: 'account' }],
    ['without an answer', error('RestError', { code: 'ECONNREFUSED' }), { kind: 'outage', blocks: 'account' }],
    [
      'with an unknown code',
      error('RestError', { code: 'New', statusCode: 400 }),
      { kind: 'rejected', blocks: 'offer' },
    ],
    [
      'with an unknown code of a proxy',
      error('RestError', { statusCode: 403 }),
      { kind: 'credentials', blocks: 'account' },
    ],
    ['that says when', error('RestError', { statusCode: 429, response: headers('7') }), { kind: 'throttled', blocks: 'account', retryAt: NOW + 7_000 }], // prettier-ignore
    ['that is none', 'text', { kind: 'outage', blocks: 'account' }],
  ])('%s', (_what, given, expected) => {
    expect(explainAzure(given, NOW).failure).toEqual(expected);
  });

  it('does not show the secret', () => {
    expect(explainAzure(new Error('wrong: s3cret'), NOW, 's3cret').message).toBe('wrong: …');
  });

  it.each<[string, unknown, object | null]>([
    [
      'of a busy cloud',
      error('RestError', { statusCode: 503, response: headers('3') }),
      { status: 503, retryAfterMs: 3_000 },
    ],
    ['without an answer', error('RestError', { code: 'ECONNRESET' }), { status: null, retryAfterMs: null }],
    ['of ours', new TypeError('no function'), null],
    ['of the sign-in', new BackendError({ kind: 'credentials', blocks: 'account' }, 'no'), null],
    ['of default credentials', error('CredentialUnavailableError', { code: 'x' }), null],
  ])('%s may or may not be tried again', (_what, given, expected) => {
    expect(triedAs(given, NOW)).toEqual(expected);
  });
});

describe('a sign-in without a token', () => {
  const body = (code: number, text: string) => ({ error: 'x', error_codes: [code], error_description: `AADSTS${code}: ${text}. Trace ID: 1` }); // prettier-ignore
  it.each<[string, number, unknown, string, string | null]>([
    ['of an unknown tenant', 400, body(90002, 'Tenant not found'), 'credentials', 'tenant_id'],
    ['of an unknown client', 400, body(700016, 'Application not found'), 'credentials', 'client_id'],
    ['with a wrong secret', 401, body(7000215, 'Invalid secret'), 'credentials', 'client_secret'],
    ['with an expired secret', 401, body(7000222, 'Expired secret'), 'credentials', 'client_secret'],
    ['for another reason', 400, body(50034, 'No such user'), 'credentials', null],
    ['of a failing service', 503, {}, 'outage', null],
    ['of a busy service', 429, {}, 'outage', null],
  ])('%s', (_what, status, given, kind, field) => {
    const explained = explainSignIn(status, given, 's3cret');
    expect(explained.failure).toEqual({ kind, blocks: 'account' });
    expect(signInField(explained)).toBe(field);
    expect(explained.message).not.toContain('Trace ID');
  });

  it('does not show the secret', () => {
    expect(explainSignIn(401, { error_description: 'wrong s3cret' }, 's3cret').message).toBe('Entra ID: wrong …');
  });
});
