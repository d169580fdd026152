import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';

/** Bodies up to this size are taken in whole, so that they can be sent to another replica. */
const KEPT_BYTES = 64 * 1024;

export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'kept'; readonly bytes: Buffer }
  /** Sent as it comes, as fast as the replica takes it; only once. */
  | { readonly kind: 'stream'; readonly stream: Readable };

/** The body is longer than it may be; the rest of it was not read. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  constructor(readonly limit: number) {
    super(`the body is longer than ${limit} bytes`);
  }
}

/** @throws {BodyTooLargeError} */
export async function takeBody(request: IncomingMessage, maxBytes: number | null): Promise<RequestBody> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (length === undefined && encoding === undefined) return { kind: 'none' };
  const size = length === undefined ? null : Number(length);
  if (size === 0) return { kind: 'none' };
  if (maxBytes !== null && size !== null && size > maxBytes) throw new BodyTooLargeError(maxBytes);
  if (size === null || size > KEPT_BYTES) return { kind: 'stream', stream: stream(request, maxBytes) };
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return { kind: 'kept', bytes: Buffer.concat(chunks) };
}

/** Its own stream: whoever gives up on the body destroys it, and with the request's own stream the connection to the client would go. */
function stream(request: IncomingMessage, maxBytes: number | null): Readable {
  const body = new PassThrough();
  let seen = 0;
  if (maxBytes !== null) {
    request.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      if (seen > maxBytes) body.destroy(new BodyTooLargeError(maxBytes));
    });
  }
  request.once('error', (error) => body.destroy(error));
  request.once('close', () => {
    if (!request.complete) body.destroy(new Error('the client broke off'));
  });
  request.pipe(body);
  body.once('close', () => {
    request.unpipe(body);
    // What nobody takes must not keep the connection from its end.
    request.resume();
  });
  return body;
}
