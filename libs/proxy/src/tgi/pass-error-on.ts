import type { ServerResponse } from 'node:http';
import type { ReplicaAnswer } from '../ask-replica.js';
import { TgiAnswerError } from './tgi-answer-error.js';

/** Bytes; longer than anything that TGI says. */
const LONGEST = 1024 * 1024;

/**
 * The replica's refusal as it is. Never as a page: it would be one of this server's.
 * @throws {TgiAnswerError}
 */
export async function passErrorOn({ status, headers, body }: ReplicaAnswer, response: ServerResponse): Promise<void> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > LONGEST) throw new TgiAnswerError(`its refusal (${status}) is longer than ${LONGEST} bytes`);
  }
  const isJson = /^application\/json\b/i.test(headers['content-type'] ?? '');
  const retryAfter = headers['retry-after'];
  response.writeHead(status < 400 ? 502 : status, {
    'content-type': isJson ? 'application/json' : 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
  });
  response.end(Buffer.concat(chunks));
}
