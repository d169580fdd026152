import type { ChatOutcome } from '@dstack/proxy';

/** What this server itself says to a request for a service: the contract's envelope of the proxy is `{"detail": text}`. */
export interface ProxyReply {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const REPLIES = {
  moved: { status: 308, title: 'Permanent Redirect', detail: 'Paths of a service begin with a slash' },
  otherProtocol: { status: 400, title: 'Bad Request', detail: 'Only WebSockets can be upgraded to' },
  forbidden: { status: 403, title: 'Forbidden', detail: 'Unauthenticated or unauthorized' },
  notOfRouter: {
    status: 403,
    title: 'Forbidden',
    detail: 'A service with a router is asked at /v1/, /generate and /chat/completions only',
  },
  unknown: { status: 404, title: 'Not Found', detail: 'There is no such service' },
  namesNoModel: { status: 400, title: 'Bad Request', detail: 'The body must be JSON that names a model' },
  noModel: { status: 404, title: 'Not Found', detail: 'There is no such model' },
  tooLong: { status: 413, title: 'Content Too Large', detail: 'The body is too long' },
  clientGone: { status: 499, title: 'Client Closed Request', detail: 'The client has gone' },
  failed: { status: 500, title: 'Internal Server Error', detail: 'The request could not be passed on' },
  tgiChatOnly: {
    status: 501,
    title: 'Not Implemented',
    detail: 'Models in the format of TGI have chat/completions only',
  },
  unreachable: { status: 502, title: 'Bad Gateway', detail: 'The replica of the service cannot be reached' },
  brokenOff: {
    status: 502,
    title: 'Bad Gateway',
    detail: 'The replica of the service broke off before it had answered',
  },
  noReplica: {
    status: 503,
    title: 'Service Unavailable',
    detail: 'The service has no replica that is ready',
    headers: { 'retry-after': '5' },
  },
  notReady: {
    status: 503,
    title: 'Service Unavailable',
    detail: 'The service has no replica that is ready yet. Try again later',
    headers: { 'retry-after': '10' },
  },
  noRoom: {
    status: 503,
    title: 'Service Unavailable',
    detail: 'The server holds too many answers of models at the moment. Try again later',
    headers: { 'retry-after': '5' },
  },
  tooLate: { status: 504, title: 'Gateway Timeout', detail: 'The replica of the service did not answer in time' },
} satisfies Record<string, ProxyReply>;

/** Null: the client has its answer, or has gone. */
export function outcomeReply(outcome: ChatOutcome): ProxyReply | null {
  switch (outcome.kind) {
    case 'answered':
    case 'client-gone':
      return null;
    case 'no-replica':
      return REPLIES.noReplica;
    case 'unreachable':
      return REPLIES.unreachable;
    case 'broken-off':
      return REPLIES.brokenOff;
    case 'too-late':
      return REPLIES.tooLate;
    case 'wrong-answer':
      return {
        status: 502,
        title: 'Bad Gateway',
        detail: `The answer of the service's replica is none of TGI's: ${outcome.message}`,
      };
    case 'no-room':
      return REPLIES.noRoom;
    case 'too-large':
      return { status: 413, title: 'Content Too Large', detail: `A body has at most ${outcome.limit} bytes` };
  }
}
