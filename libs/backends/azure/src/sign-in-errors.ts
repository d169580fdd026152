import { BackendError } from '@dstack/backend-base';

/** Which field of the configuration Entra ID complains of, by the number in its answer. */
const FIELDS: ReadonlyMap<number, 'tenant_id' | 'client_id' | 'client_secret'> = new Map([
  [90002, 'tenant_id'],
  [900023, 'tenant_id'],
  [900021, 'tenant_id'],
  [700016, 'client_id'],
  [7000215, 'client_secret'],
  [7000222, 'client_secret'],
]);

/** An answer of the token endpoint that holds no token. */
export function explainSignIn(status: number, body: unknown, secret: string): BackendError {
  const text = member(body, 'error_description') ?? member(body, 'error');
  const shown = (typeof text === 'string' ? text : `status ${status}`)
    .replaceAll(secret, '…')
    .split(/ Trace ID:|\r?\n/)[0];
  if (status === 429 || status >= 500)
    return new BackendError({ kind: 'outage', blocks: 'account' }, `Entra ID: ${shown}`, { cause: body });
  return new BackendError({ kind: 'credentials', blocks: 'account' }, `Entra ID: ${shown}`, { cause: body });
}

/** Null: the error is not of the sign-in, or names no field. */
export function signInField(error: BackendError): 'tenant_id' | 'client_id' | 'client_secret' | null {
  const codes = member(error.cause, 'error_codes');
  return Array.isArray(codes) ? (FIELDS.get(Number(codes[0])) ?? null) : null;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
