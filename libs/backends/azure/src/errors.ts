import { BackendError, type Failure } from '@dstack/backend-base';
import { type FailedTry, retryAfterMs } from '@dstack/backend-base/rest';

/** What the libraries' errors have in common; `code` is ARM's. */
interface ArmError extends Error {
  readonly code?: string;
  readonly statusCode?: number;
  readonly response?: { readonly headers?: { get(name: string): string | undefined } };
}

const BY_CODE: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [
    /^(SkuNotAvailable|AllocationFailed|OverconstrainedAllocationRequest|SpotPriceIncrease|NoVmImagesInRegion)$/,
    { kind: 'no-capacity', blocks: 'offer' },
  ],
  [/^(ZonalAllocationFailed|OverconstrainedZonalAllocationRequest)$/, { kind: 'no-capacity', blocks: 'zone' }],
  [/^(QuotaExceeded|ResourceQuotaExceeded)$/, { kind: 'quota', blocks: 'offer' }],
  [
    /^(PublicIPCountLimitReached|PublicIpCountLimitReached|ResourceCountExceedsLimitDueToTemplate|SubnetIsFull)$/,
    { kind: 'quota', blocks: 'region' },
  ],
  [
    /^(InvalidAuthenticationToken(Tenant)?|ExpiredAuthenticationToken|AuthenticationFailed(InvalidHeader|MissingToken)?)$/,
    { kind: 'credentials', blocks: 'account' },
  ],
  [
    /^(AuthorizationFailed|LinkedAuthorizationFailed|LinkedAccessCheckFailed)$/,
    { kind: 'credentials', blocks: 'account' },
  ],
  [
    /^((Invalid|Disabled|ReadOnlyDisabled)?Subscription(Id|NotFound|NotRegistered)?|MissingSubscription(Registration)?)$/,
    { kind: 'credentials', blocks: 'account' },
  ],
  [/^(TooManyRequests|SubscriptionRequestsThrottled|OperationPreempted)$/, { kind: 'throttled', blocks: 'account' }],
  [
    /^(LocationNotAvailableForResourceType|RequestDisallowedByPolicy|RequestDisallowedByAzure|SubnetWithExternalResourcesCannotBeUsedByOtherResources|InvalidResourceReference)$/,
    { kind: 'rejected', blocks: 'region' },
  ],
  [/(NotFound|^GalleryImageNotFound|^PlatformImageNotFound)$/, { kind: 'not-found', blocks: 'offer' }],
];

const SIGN_IN =
  /^(CredentialUnavailableError|AuthenticationError|AggregateAuthenticationError|AuthenticationRequiredError)$/;

const QUOTA_TEXT = /\bquota\b|exceeding approved/i;

/** ARM's code of an error, `SkuNotAvailable`; null for what is none of ARM. */
export function armCode(error: unknown): string | null {
  const { cause } = error instanceof BackendError ? error : { cause: error };
  return isArmError(cause) ? (cause.code ?? null) : null;
}

/** The one place where Azure's codes become ours; the original is the cause. `secret` is never shown. */
export function explainAzure(error: unknown, now: number, secret: string | null = null): BackendError {
  if (error instanceof BackendError) return error;
  if (!isArmError(error))
    return new BackendError({ kind: 'outage', blocks: 'account' }, String(error), { cause: error });
  const { code, message } = error;
  const text = code === undefined || message.startsWith(code) ? message : `${code}: ${message}`;
  const shown = secret === null ? text : text.replaceAll(secret, '…');
  return new BackendError(failureOf(error, now), shown, { cause: error });
}

/** What a code means that comes with a message: also those that a machine keeps of its own failure. */
export function failureOfCode(code: string, message: string): Failure | null {
  // One code for everything that is not allowed now, quotas among it.
  if (code === 'OperationNotAllowed' && QUOTA_TEXT.test(message)) return { kind: 'quota', blocks: 'offer' };
  return BY_CODE.find(([pattern]) => pattern.test(code))?.[1] ?? null;
}

/** Null: it is final, as a sign-in that was refused or a mistake of ours. Without a status there was no answer. */
export function triedAs(error: unknown, now: number): Pick<FailedTry, 'status' | 'retryAfterMs'> | null {
  if (error instanceof BackendError || !isArmError(error) || SIGN_IN.test(error.name)) return null;
  const { statusCode, code, response } = error;
  if (statusCode === undefined && code === undefined) return null;
  return { status: statusCode ?? null, retryAfterMs: retryAfterMs(response?.headers?.get('retry-after'), now) };
}

function failureOf(error: ArmError, now: number): Failure {
  const { code = '', statusCode, message } = error;
  const known = failureOfCode(code, message);
  if (statusCode === 429 || known?.kind === 'throttled') {
    const afterMs = retryAfterMs(error.response?.headers?.get('retry-after'), now);
    return { kind: 'throttled', blocks: 'account', ...(afterMs === null ? {} : { retryAt: now + afterMs }) };
  }
  if (known !== null) return known;
  // None of the ways of `default` credentials led anywhere.
  if (SIGN_IN.test(error.name)) return { kind: 'credentials', blocks: 'account' };
  if (statusCode === 401 || statusCode === 403) return { kind: 'credentials', blocks: 'account' };
  if (statusCode === 404) return { kind: 'not-found', blocks: 'offer' };
  return statusCode !== undefined && statusCode >= 400 && statusCode < 500
    ? { kind: 'rejected', blocks: 'offer' }
    : { kind: 'outage', blocks: 'account' };
}

function isArmError(error: unknown): error is ArmError {
  return error instanceof Error;
}
