import { ClientError } from '../http/api-errors.js';

/** What a provider says of the server, not of the person. */
const OF_THIS_SERVER = ['invalid_client', 'unauthorized_client', 'invalid_scope', 'unsupported_grant_type'];
const LATER = 'Try again later; if that lasts, tell the administrator of this server';

/**
 * Why a conversation with the provider failed, and who can do what about it: the person, or the administrator. By the shape of the errors of
 * openid-client and of `fetch`; codes and tokens are in their causes, never in what is read here. Pure.
 */
export function providerProblem(name: string, error: unknown): ClientError {
  const said = textOf(error, 'error');
  if (said !== null && OF_THIS_SERVER.includes(said))
    return new ClientError(
      `${name} does not take this server (${said}). Its administrator has to look at DSTACK_OIDC_CLIENT_ID, DSTACK_OIDC_CLIENT_SECRET and DSTACK_OIDC_SCOPES`,
    );
  if (said !== null)
    return new ClientError(`${name} refused the sign-in (${said}). Start again: dstack login`, 'invalid_credentials');
  const code = textOf(error, 'code');
  if (code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT') return new ClientError(`${name} does not answer. ${LATER}`);
  if (code === 'OAUTH_RESPONSE_IS_NOT_CONFORM' || code === 'OAUTH_RESPONSE_IS_NOT_JSON')
    return new ClientError(`${name} does not answer as a provider does${statusOf(error)}. ${LATER}`);
  if (code !== null)
    return new ClientError(`The answer of ${name} cannot be trusted (${code}). Start again: dstack login`, 'invalid_credentials'); // prettier-ignore
  return new ClientError(`${name} cannot be reached${reasonOf(error)}. ${LATER}`);
}

/** Of `fetch`: the system's word for it. */
function reasonOf(error: unknown): string {
  const reason = textOf(causeOf(error), 'code');
  return reason === null ? '' : ` (${reason})`;
}

function statusOf(error: unknown): string {
  const reply = causeOf(error);
  if (typeof reply !== 'object' || reply === null || !('status' in reply)) return '';
  return typeof reply.status === 'number' ? ` (HTTP ${reply.status})` : '';
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

function textOf(value: unknown, field: 'error' | 'code'): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const { [field]: text } = value as Readonly<Record<string, unknown>>;
  return typeof text === 'string' ? text : null;
}
