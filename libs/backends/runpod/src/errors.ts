import type { Failure } from '@dstack/backend-base';
import type { RefusedReply } from '@dstack/backend-base/rest';
import { problem } from './schema.js';

interface Explained {
  readonly failure: Failure;
  readonly message: string;
}

const NO_CAPACITY: Failure = { kind: 'no-capacity', blocks: 'offer' };
const NO_MONEY: Failure = { kind: 'quota', blocks: 'account' };

/** RunPod has no codes for what matters most: its words tell, the same ones in both of its APIs. */
const BY_WORDS: readonly (readonly [RegExp, Failure])[] = [
  [/no longer any instances|no instances|does not have the resources|insufficient resources|out of stock|no .*capacity|cluster creation failed|not enough free gpus/i, NO_CAPACITY],
  [/balance|spend(ing)? limit|payment|insufficient funds/i, NO_MONEY],
  [/quota|maximum number|limit of .* pods/i, { kind: 'quota', blocks: 'account' }],
  [/unauthorized|forbidden|api key|permission/i, { kind: 'credentials', blocks: 'account' }],
  [/rate limit|too many requests/i, { kind: 'throttled', blocks: 'account' }],
  [/not found|does not exist/i, { kind: 'not-found', blocks: 'offer' }],
  [/something went wrong|internal server error|timed? ?out/i, { kind: 'outage', blocks: 'account' }],
]; // prettier-ignore

/** Of GraphQL, which answers 200 to what it refuses. */
export function explainGraphql(messages: readonly string[]): Explained {
  const message = messages.join('; ') || 'RunPod refused without a reason';
  return { failure: byWords(message) ?? { kind: 'rejected', blocks: 'offer' }, message };
}

export function explainRunpod({ status, body }: RefusedReply): Explained {
  const parsed = problem.safeParse(body);
  const { title, detail, errors } = parsed.success ? parsed.data : {};
  const message = [detail ?? title, ...(errors ?? [])].filter(Boolean).join('; ');
  return {
    failure: byStatus(status) ?? byWords(message) ?? { kind: 'rejected', blocks: 'offer' },
    message: message || `the answer has status ${status}`,
  };
}

function byWords(message: string): Failure | undefined {
  return BY_WORDS.find(([words]) => words.test(message))?.[1];
}

/** 400 is both "no room" and "not allowed": there only the words tell. */
function byStatus(status: number): Failure | undefined {
  if (status === 401 || status === 403) return { kind: 'credentials', blocks: 'account' };
  if (status === 402) return NO_MONEY;
  if (status === 404) return { kind: 'not-found', blocks: 'offer' };
  if (status === 422) return { kind: 'rejected', blocks: 'offer' };
  return undefined;
}
