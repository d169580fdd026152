import { BackendError, type Failure, isBackendError } from '@dstack/backend-base';
import type { RefusedReply } from '@dstack/backend-base/rest';
import { errorReply, type OperationError, type RpcStatus } from './schema.js';

interface Said {
  /** `ZONE_RESOURCE_POOL_EXHAUSTED`, `quotaExceeded`, `RESOURCE_EXHAUSTED` …; null: Google named none. */
  readonly code: string | null;
  readonly status: number | null;
  readonly message: string;
}

const BY_CODE: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  [
    /^(ZONE_RESOURCE_POOL_EXHAUSTED(_WITH_DETAILS)?|STOCKOUT|insufficientCapacity|RESERVATION_CAPACITY_EXCEEDED|UNAVAILABLE)$/,
    { kind: 'no-capacity', blocks: 'zone' },
  ],
  [/^(quotaExceeded|QUOTA_EXCEEDED|QUOTA_LIMIT|limitExceeded|LIMIT_EXCEEDED)$/, { kind: 'quota', blocks: 'offer' }],
  [
    /^(rateLimitExceeded|userRateLimitExceeded|RATE_LIMIT_EXCEEDED|RESOURCE_OPERATION_RATE_EXCEEDED)$/,
    { kind: 'throttled', blocks: 'account' },
  ],
  [/^(resourceNotReady|RESOURCE_NOT_READY)$/, { kind: 'throttled', blocks: 'offer' }],
  [
    /^(accessNotConfigured|SERVICE_DISABLED|authError|UNAUTHENTICATED|forbidden|PERMISSION_DENIED|PERMISSIONS_ERROR|CONSUMER_INVALID)$/,
    { kind: 'credentials', blocks: 'account' },
  ],
];

/** Of answers that say the same of different things. */
const BY_MESSAGE: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  // The RoCE network of a machine is in another zone.
  [/Network profile only allows resource creation in location/, { kind: 'rejected', blocks: 'zone' }],
  [
    /does not exist in zone|(machineTypes|acceleratorTypes)\/[^ ]*' was not found/i,
    { kind: 'no-capacity', blocks: 'zone' },
  ],
  [/(networks|subnetworks)\/[^ ]*' was not found/i, { kind: 'not-found', blocks: 'region' }],
  // An organisation's policy: the same for every machine.
  [/Constraint constraints\/[^ ]+ violated/, { kind: 'rejected', blocks: 'account' }],
];

/** A final answer though its status says to come back: Google is out of machines, or the account has reached its limit. */
export function isFinalReply(reply: RefusedReply): boolean {
  if (reply.status < 500 && reply.status !== 429) return false;
  const { kind } = failureOf(saidIn(reply));
  return kind === 'no-capacity' || kind === 'quota';
}

/** The one place where Google's codes become ours: of refused requests … */
export function explainGcp(reply: RefusedReply): { failure: Failure; message: string } {
  const said = saidIn(reply);
  return { failure: failureOf(said), message: shown(said) };
}

/** … of operations that failed after they were accepted … */
export function explainOperation({ code, message }: OperationError, status: number | null): BackendError {
  const said = { code, status, message };
  return new BackendError(failureOf(said), shown(said));
}

/** … and of those of TPUs, whose codes are numbers. */
export function explainRpc({ code, message }: RpcStatus): BackendError {
  const name = RPC_CODES[code] ?? null;
  const said = { code: name, status: name === null ? null : (RPC_HTTP[name] ?? null), message };
  return new BackendError(failureOf(said), shown(said));
}

export function isMissing(error: unknown): boolean {
  return isBackendError(error) && error.failure.kind === 'not-found';
}

export function unlessMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

export function isConflict(error: unknown): boolean {
  return isBackendError(error) && CONFLICT.test(error.message);
}

/** Another operation is at work on it. */
export function isBusy(error: unknown): boolean {
  return isBackendError(error) && BUSY.test(error.message);
}

const BUSY = /^(resourceNotReady|RESOURCE_NOT_READY|FAILED_PRECONDITION):/;
const CONFLICT = /^(alreadyExists|ALREADY_EXISTS|RESOURCE_ALREADY_EXISTS):/;

const RPC_CODES: Readonly<Record<number, string>> = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  7: 'PERMISSION_DENIED',
  8: 'RESOURCE_EXHAUSTED',
  9: 'FAILED_PRECONDITION',
  13: 'INTERNAL',
  14: 'UNAVAILABLE',
  16: 'UNAUTHENTICATED',
};
const RPC_HTTP: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  NOT_FOUND: 404,
  ALREADY_EXISTS: 409,
  INTERNAL: 500,
};

function saidIn({ status, body }: RefusedReply): Said {
  const parsed = errorReply.safeParse(body);
  if (!parsed.success) return { code: null, status, message: `the answer has status ${status}` };
  const { error } = parsed.data;
  const reason = error.details?.find((detail) => detail.reason !== undefined)?.reason;
  // Compute Engine's own reason tells more than the status, which only the newer services have.
  return { code: reason ?? error.errors?.[0]?.reason ?? error.status ?? null, status, message: error.message };
}

function shown({ code, message }: Said): string {
  return code === null ? message : `${code}: ${message}`;
}

function failureOf(said: Said): Failure {
  const { code, status, message } = said;
  const byMessage = BY_MESSAGE.find(([pattern]) => pattern.test(message));
  if (byMessage !== undefined) return byMessage[1];
  // TPUs: the same code for a quota that is used up and for a zone that is.
  if (code === 'RESOURCE_EXHAUSTED')
    return /quota|limit/i.test(message) ? { kind: 'quota', blocks: 'offer' } : { kind: 'no-capacity', blocks: 'zone' };
  const byCode = code === null ? undefined : BY_CODE.find(([pattern]) => pattern.test(code));
  if (byCode !== undefined && !(code === 'UNAVAILABLE' && status !== null)) return byCode[1];
  return byStatus(status);
}

function byStatus(status: number | null): Failure {
  if (status === 401 || status === 403) return { kind: 'credentials', blocks: 'account' };
  if (status === 404) return { kind: 'not-found', blocks: 'offer' };
  if (status === 429) return { kind: 'throttled', blocks: 'account' };
  if (status === null || status >= 500) return { kind: 'outage', blocks: 'account' };
  return { kind: 'rejected', blocks: 'offer' };
}
