import type { Failure } from '@dstack/backend-base';
import type { RefusedReply } from '@dstack/backend-base/rest';
import { errorReply } from './schema.js';

/** By status and, where that is not enough, by the words: TensorDock has no codes. */
export function explainTensorDock({ status, body }: RefusedReply): { failure: Failure; message: string } {
  const parsed = errorReply.safeParse(body);
  const message = parsed.success ? parsed.data : `the answer has status ${status}`;
  return { failure: failureOf(status, message), message };
}

function failureOf(status: number, message: string): Failure {
  if (status === 401 || status === 403) return { kind: 'credentials', blocks: 'account' };
  if (status === 402 || /balance|funds/i.test(message)) return { kind: 'quota', blocks: 'account' };
  if (status === 404) return { kind: 'not-found', blocks: 'offer' };
  if (status === 409 || /capacity|available|enough|resources|stock|port/i.test(message))
    return { kind: 'no-capacity', blocks: 'offer' };
  return { kind: 'rejected', blocks: 'offer' };
}
