import type { Failure } from '@dstack/backend-base';
import type { RefusedReply } from '@dstack/backend-base/rest';
import { errorReply } from './schema.js';

const NO_CAPACITY: Failure = { kind: 'no-capacity', blocks: 'offer' };
const NO_CREDIT: Failure = { kind: 'quota', blocks: 'account' };
const BAD_KEY: Failure = { kind: 'credentials', blocks: 'account' };

const BY_CODE: Readonly<Record<string, Failure>> = {
  auth_error: BAD_KEY,
  no_such_ask: NO_CAPACITY,
  // Somebody bids more meanwhile.
  invalid_price: NO_CAPACITY,
  no_such_instance: { kind: 'not-found', blocks: 'offer' },
  not_found: { kind: 'not-found', blocks: 'offer' },
  insufficient_credit: NO_CREDIT,
  rate_limit_exceeded: { kind: 'throttled', blocks: 'account' },
};

const BY_WORDS: readonly (readonly [RegExp, Failure])[] = [
  [/no_such_ask|is not available|not rentable|already rented/i, NO_CAPACITY],
  [/credit|balance|billing|payment/i, NO_CREDIT],
  [/too frequent|rate limit/i, { kind: 'throttled', blocks: 'account' }],
];

/** Also of what comes with status 200 and says that it failed. */
export function explainVastai({ status, body }: RefusedReply): { failure: Failure; message: string } {
  const parsed = errorReply.safeParse(body);
  const { error, msg, detail } = parsed.success ? parsed.data : {};
  const text = msg ?? detail ?? (typeof body === 'string' ? body.trim() : '');
  const byWords = BY_WORDS.find(([words]) => words.test(text))?.[1];
  return {
    // The code is often only `invalid_args`, whatever was wrong.
    failure: BY_CODE[error ?? ''] ?? byWords ?? byStatus(status),
    message: [error, text].filter(Boolean).join(': ') || `the answer has status ${status}`,
  };
}

function byStatus(status: number): Failure {
  if (status === 401 || status === 403) return BAD_KEY;
  if (status === 404 || status === 410) return { kind: 'not-found', blocks: 'offer' };
  return { kind: 'rejected', blocks: 'offer' };
}
