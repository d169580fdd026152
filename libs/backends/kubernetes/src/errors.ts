import { type Failure, isBackendError } from '@dstack/backend-base';
import type { RefusedReply } from '@dstack/backend-base/rest';
import { statusReply } from './schema.js';

/** Told apart by identity: for a create it says that an earlier one arrived. */
const ALREADY_EXISTS: Failure = { kind: 'rejected', blocks: 'offer' };

export function isAlreadyThere(error: unknown): boolean {
  return isBackendError(error) && error.failure === ALREADY_EXISTS;
}

export function isMissing(error: unknown): boolean {
  return isBackendError(error) && error.failure.kind === 'not-found';
}

/** The one place where the API's refusals become ours. A region is one cluster. */
export function explainKubernetes({ status, body }: RefusedReply): { failure: Failure; message: string } {
  const { message, reason } = statusReply.safeParse(body).data ?? {};
  const text = message ? message : `the answer has status ${status}`;
  return { failure: failureOf(status, reason ?? '', text), message: text };
}

function failureOf(status: number, reason: string, message: string): Failure {
  if (status === 403 && /exceeded quota/i.test(message)) return { kind: 'quota', blocks: 'offer' };
  if (status === 401 || status === 403) return { kind: 'credentials', blocks: 'region' };
  if (status === 404) return { kind: 'not-found', blocks: 'offer' };
  if (status === 409 && reason === 'AlreadyExists') return ALREADY_EXISTS;
  return { kind: 'rejected', blocks: 'offer' };
}
