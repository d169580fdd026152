import { BackendError, type Failure } from '@dstack/backend-base';
import { z } from 'zod';

/** What Oracle answered instead of a result. */
export interface OciRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const body = z.object({ code: z.string(), message: z.string() });

const BY_CODE: readonly (readonly [pattern: RegExp, failure: Failure])[] = [
  // Of an availability domain.
  [/^(OutOfHostCapacity|OutOfCapacity)$/, { kind: 'no-capacity', blocks: 'zone' }],
  [/^(LimitExceeded|QuotaExceeded|TooManyInstances|ServiceLimitExceeded)$/, { kind: 'quota', blocks: 'offer' }],
  [/^(NotAuthenticated|SignUpRequired|NotAllowed|NotAuthorized)$/, { kind: 'credentials', blocks: 'account' }],
  [/^TooManyRequests$/, { kind: 'throttled', blocks: 'account' }],
  // Another request is in the way; the token makes it safe to come again.
  [/^(IncorrectState|Conflict|RelatedResourceNotFound)$/, { kind: 'outage', blocks: 'offer' }],
  [/^(NotAuthorizedOrNotFound|NotFound)$/, { kind: 'not-found', blocks: 'region' }],
];

/** The code of what is refused, `LimitExceeded`; null for what is none of Oracle. */
export function ociCode(error: unknown): string | null {
  const { cause } = error instanceof BackendError ? error : { cause: error };
  return isRefusal(cause) ? cause.code : null;
}

export function readRefusal(status: number, text: string): OciRefusal {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const parsed = body.safeParse(value);
  return parsed.success ? { status, ...parsed.data } : { status, code: '', message: `the answer has status ${status}` };
}

/** The one place where Oracle's codes become ours; the refusal is the cause. */
export function explainOci(refusal: OciRefusal, retryAt: number | null = null): BackendError {
  const { code, message } = refusal;
  const failure = failureOf(refusal);
  const hint = code === 'NotAuthorizedOrNotFound' ? ' (it does not exist, or a policy is missing)' : '';
  const text = `${code === '' ? '' : `${code}: `}${message}${hint}`;
  const known = failure.kind === 'throttled' && retryAt !== null ? { ...failure, retryAt } : failure;
  return new BackendError(known, text, { cause: refusal });
}

/** Whether the same request may be carried out a moment later. A missing host is not there a second later either. */
export function isTransient({ status, code, message }: OciRefusal): boolean {
  return (status === 429 || status >= 500) && failureOf({ status, code, message }).kind !== 'no-capacity';
}

function failureOf({ status, code, message }: OciRefusal): Failure {
  // Known as an internal error, and by these words only.
  if (/out of (host )?capacity/i.test(message)) return { kind: 'no-capacity', blocks: 'zone' };
  const known = BY_CODE.find(([pattern]) => pattern.test(code))?.[1];
  if (known !== undefined) return known;
  if (status === 429) return { kind: 'throttled', blocks: 'account' };
  if (status === 401 || status === 403) return { kind: 'credentials', blocks: 'account' };
  if (status === 404) return { kind: 'not-found', blocks: 'region' };
  return status >= 400 && status < 500 ? { kind: 'rejected', blocks: 'offer' } : { kind: 'outage', blocks: 'account' };
}

function isRefusal(value: unknown): value is OciRefusal {
  return typeof value === 'object' && value !== null && 'code' in value && 'status' in value;
}
