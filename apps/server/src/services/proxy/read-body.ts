import type { IncomingMessage } from 'node:http';

/** Longer than any conversation with pictures in it. */
const MOST_BYTES = 32 * 1024 * 1024;

/** Null: it is longer than it may be. Rejects when the client breaks off. */
export async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
