import { providerProblem } from './provider-problem.js';

const failure = (fields: object, cause?: unknown): Error => Object.assign(new Error('x', { cause }), fields);

it.each([
  ['is down', failure({}, failure({ code: 'ECONNREFUSED' })), /^corp cannot be reached \(ECONNREFUSED\)\. Try again later/],
  ['is silent', failure({ code: 'OAUTH_TIMEOUT' }), /^corp does not answer\. Try again later/],
  ['is broken', failure({ code: 'OAUTH_RESPONSE_IS_NOT_CONFORM' }, { status: 500 }), /^corp does not answer as a provider does \(HTTP 500\)/],
  ['does not know the server', failure({ code: 'OAUTH_RESPONSE_BODY_ERROR', error: 'invalid_client' }), /^corp does not take this server \(invalid_client\).*DSTACK_OIDC_CLIENT_SECRET/],
  ['lets nobody in', failure({ error: 'access_denied' }), /^corp refused the sign-in \(access_denied\)\. Start again/],
  ['sends another token', failure({ code: 'OAUTH_JWT_CLAIM_COMPARISON_FAILED' }), /^The answer of corp cannot be trusted \(OAUTH_JWT/],
  ['fails in a way nobody knows', 'text', /^corp cannot be reached\. /],
])('a provider that %s', (_what, error, told) => {
  expect(providerProblem('corp', error).message).toMatch(told);
}); // prettier-ignore
