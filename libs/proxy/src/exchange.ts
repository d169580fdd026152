import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FailedAt } from './balance/may-retry.js';

/** What the proxy is to do with one request. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** For the replica, with its query: `/v1/chat?x=1`. */
  readonly path: string;
  /** For the replica, as a flat list. */
  readonly headers: readonly string[];
  /** Added to the replica's, as a flat list. */
  readonly addedHeaders?: readonly string[];
  /** Bytes; longer bodies are refused. Null: any. */
  readonly maxBodyBytes: number | null;
  /** In place of what the request brings, which was read already. */
  readonly body?: Buffer;
}

export type Outcome =
  /** The answer, or what there was of it, has gone to the client. */
  | { readonly kind: 'answered'; readonly status: number; readonly group: string }
  /** `asked`: the group of the replica that was answering. */
  | { readonly kind: 'client-gone'; readonly asked?: string }
  /** Nothing was sent to the client. */
  | { readonly kind: 'no-replica' }
  | { readonly kind: 'unreachable' | 'broken-off' | 'too-late'; readonly message: string; readonly group: string }
  | { readonly kind: 'too-large'; readonly limit: number };

/** What became of a request that failed before its answer had begun. */
export function failureKind(failedAt: FailedAt, error: Error): 'unreachable' | 'broken-off' | 'too-late' {
  if ('code' in error && error.code === 'UND_ERR_HEADERS_TIMEOUT') return 'too-late';
  return failedAt === 'connect' ? 'unreachable' : 'broken-off';
}
