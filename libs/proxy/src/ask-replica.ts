import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { type FailedAt, mayRetry } from './balance/may-retry.js';
import { failureKind, type Outcome } from './exchange.js';
import { type Replica, ReplicaUnreachableError } from './replica.js';
import type { ReplicaSet } from './replica-set.js';

/** So many replicas are asked one question. */
const MOST_TRIES = 3;

/** What this proxy itself wants to know of a replica. */
export interface Question {
  readonly path: string;
  /** As a flat list. */
  readonly headers: readonly string[];
  readonly body: string;
  /** Nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}

export interface ReplicaAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Rejects when the replica breaks off. What is not read is thrown away. */
  readonly body: AsyncIterable<Uint8Array>;
}

export type Asked<T> =
  | { readonly kind: 'taken'; readonly value: T; readonly status: number; readonly group: string }
  | Exclude<Outcome, { kind: 'answered' | 'too-large' }>;

/** Posts a question to a replica, or to another one where the first has not seen it. `take` reads the answer; the replica counts as busy until it is done. */
export async function askReplica<T>(
  question: Question,
  replicas: ReplicaSet,
  take: (answer: ReplicaAnswer) => Promise<T>,
  now: () => number,
): Promise<Asked<T>> {
  const tried = new Set<string>();
  let last: Asked<T> = { kind: 'no-replica' };
  while (tried.size < MOST_TRIES) {
    const replica = replicas.pick(tried);
    if (replica === null) return last;
    tried.add(replica.id);
    let failedAt: FailedAt = 'sent';
    try {
      const taken = await ask(question, replica, (answer) => {
        failedAt = 'answered';
        return take(answer);
      });
      replica.answered();
      return { kind: 'taken', ...taken, group: replica.group };
    } catch (thrown) {
      if (question.signal.aborted) return { kind: 'client-gone' };
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      if (error instanceof ReplicaUnreachableError) failedAt = 'connect';
      replica.failed(now(), error.message);
      last = { kind: failureKind(failedAt, error), message: error.message, group: replica.group };
      if (last.kind === 'too-late' || !mayRetry('POST', failedAt, true)) return last;
    }
  }
  return last;
}

async function ask<T>(
  { path, headers, body, signal }: Question,
  replica: Replica,
  take: (answer: ReplicaAnswer) => Promise<T>,
): Promise<{ value: T; status: number }> {
  replica.begin();
  let read: Readable | null = null;
  try {
    const answer = await (await replica.pool).request({ path, method: 'POST', headers: [...headers], body, signal });
    read = answer.body;
    // Whoever reads it learns of it; what is thrown away may break.
    read.on('error', () => undefined);
    const { statusCode: status } = answer;
    return { value: await take({ status, headers: answer.headers, body: read }), status };
  } finally {
    read?.destroy();
    replica.end();
  }
}
