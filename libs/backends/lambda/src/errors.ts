import type { Failure } from '@dstack/backend-base';
import type { RefusedReply } from '@dstack/backend-base/rest';
import { errorReply } from './schema.js';

const BY_CODE: Readonly<Record<string, Failure>> = {
  'global/invalid-api-key': { kind: 'credentials', blocks: 'account' },
  'global/forbidden': { kind: 'credentials', blocks: 'account' },
  'global/account-inactive': { kind: 'credentials', blocks: 'account' },
  'global/invalid-address': { kind: 'rejected', blocks: 'account' },
  'global/quota-exceeded': { kind: 'quota', blocks: 'account' },
  'global/invalid-parameters': { kind: 'rejected', blocks: 'offer' },
  'global/object-does-not-exist': { kind: 'not-found', blocks: 'offer' },
  'instance-operations/launch/insufficient-capacity': { kind: 'no-capacity', blocks: 'offer' },
  'instance-operations/launch/file-system-in-wrong-region': { kind: 'rejected', blocks: 'region' },
};

/** The one place where Lambda's error codes become ours. The status decides where a code is new. */
export function explainLambda({ status, body }: RefusedReply): { failure: Failure; message: string } {
  const parsed = errorReply.safeParse(body);
  if (!parsed.success) return { failure: byStatus(status), message: `the answer has status ${status}` };
  const { code, message, suggestion } = parsed.data.error;
  const text = suggestion ? `${message} ${suggestion}` : message;
  return { failure: BY_CODE[code] ?? byStatus(status), message: text };
}

function byStatus(status: number): Failure {
  if (status === 401 || status === 403) return { kind: 'credentials', blocks: 'account' };
  if (status === 404) return { kind: 'not-found', blocks: 'offer' };
  return { kind: 'rejected', blocks: 'offer' };
}
