import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { FluentAddress, FluentRecord } from './fluent-http.js';
import { ANSWER_MS, FluentError } from './fluent-http.js';

const EVENT_TIME = 0;
const ACK_BYTES = 1_024;

/** To the `forward` input; resolves when it has acknowledged the whole (`chunk` of the protocol's options, answered by `ack`). */
export async function forwardRecords(
  address: FluentAddress,
  tag: string,
  records: readonly FluentRecord[],
): Promise<void> {
  const { decodeMulti, encode, ExtData } = await import('@msgpack/msgpack');
  const chunk = randomBytes(16).toString('base64');
  const entries = records.map(({ at, record }) => [new ExtData(EVENT_TIME, eventTime(at)), record]);
  const message = encode([tag, entries, { chunk, size: entries.length }]);
  await onConnection(address, (socket, resolve, reject) => {
    let answer = Buffer.alloc(0);
    socket.on('data', (data) => {
      answer = Buffer.concat([answer, data]);
      const ack = acknowledged(answer, decodeMulti);
      if (ack === chunk) resolve();
      else if (ack !== undefined || answer.length > ACK_BYTES)
        reject(new FluentError('the answer is no acknowledgement'));
    });
    socket.write(message);
  });
}

/** Sends nothing. */
export async function canConnect(address: FluentAddress): Promise<void> {
  await onConnection(address, (_socket, resolve) => resolve());
}

/** Undefined: not all of it is there yet. */
function acknowledged(answer: Buffer, decodeMulti: (bytes: Uint8Array) => Generator<unknown>): unknown {
  try {
    for (const value of decodeMulti(answer))
      return typeof value === 'object' && value !== null && 'ack' in value ? value.ack : null;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
  return undefined;
}

function onConnection(
  { host, port }: FluentAddress,
  use: (socket: Socket, resolve: () => void, reject: (error: Error) => void) => void,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new FluentError(`no answer in ${ANSWER_MS / 1_000} seconds`)));
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.once('connect', () => use(socket, done, (error) => socket.destroy(error)));
    socket.once('error', reject);
    socket.once('close', () => reject(new FluentError('the connection was closed before it was acknowledged')));
  });
}

/** Seconds and nanoseconds, big-endian. */
function eventTime(at: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(Math.floor(at / 1_000), 0);
  bytes.writeUInt32BE((at % 1_000) * 1_000_000, 4);
  return bytes;
}
