import { connect, type IncomingHttpHeaders } from 'node:http2';
import type { Duplex } from 'node:stream';

export interface GrpcQuestion {
  /** `/package.Service/Method`: of those that take an empty message. */
  readonly method: string;
  readonly maxBytes: number;
}

/** `status` as gRPC numbers it: 0 with a message, anything else without. */
export type GrpcAnswer =
  | { readonly status: 0; readonly message: Uint8Array }
  | { readonly status: number; readonly message: null; readonly text: string };

export const GRPC_UNIMPLEMENTED = 12;
export const GRPC_UNAVAILABLE = 14;

/** A message is preceded by whether it is compressed, and its length. */
const PREFIX_BYTES = 5;

/** One question over a stream of its own. @throws when who listens there does not speak gRPC */
export function grpcCall(stream: Duplex, question: GrpcQuestion, signal: AbortSignal): Promise<GrpcAnswer> {
  return new Promise((resolve, reject) => {
    const session = connect('http://localhost', { createConnection: () => stream });
    const end = (then: () => void): void => {
      signal.removeEventListener('abort', abort);
      session.destroy();
      stream.destroy();
      then();
    };
    const fail = (error: unknown): void => end(() => reject(error instanceof Error ? error : new Error(String(error))));
    const abort = (): void => fail(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) return abort();
    session.once('error', fail).once('close', () => fail(new Error('it ended the connection')));
    const call = session.request({
      ':method': 'POST',
      ':path': question.method,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const parts: Buffer[] = [];
    let bytes = 0;
    let status: string | undefined;
    let text = '';
    const note = (headers: IncomingHttpHeaders): void => {
      const { 'grpc-status': said, 'grpc-message': more } = headers;
      if (typeof said === 'string') status = said;
      if (typeof more === 'string') text = more;
    };
    // Who has no answer says so at once, without trailers.
    call.once('response', note).once('trailers', note).once('error', fail);
    call.on('data', (part: Buffer) => {
      parts.push(part);
      bytes += part.length;
      if (bytes > question.maxBytes) fail(new Error(`its answer has more than ${question.maxBytes} bytes`));
    });
    call.once('end', () => {
      if (status === undefined) return fail(new Error('it does not speak gRPC'));
      if (status !== '0') return end(() => resolve({ status: Number(status), message: null, text }));
      const message = messageOf(Buffer.concat(parts));
      if (message === null) fail(new Error('its answer is no single message without compression'));
      else end(() => resolve({ status: 0, message }));
    });
    call.end(Buffer.alloc(PREFIX_BYTES));
  });
}

function messageOf(bytes: Buffer): Uint8Array | null {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== 0) return null;
  const message = bytes.subarray(PREFIX_BYTES);
  return bytes.readUInt32BE(1) === message.length ? message : null;
}
