import type { AnswerRoom } from './answer-room.js';
import { TgiAnswerError } from './tgi-answer-error.js';

/** Bytes: the prompt's tokens come one by one with the answer. */
const LONGEST = 64 * 1024 * 1024;

/** @throws {TgiAnswerError} @throws {NoRoomError} */
export async function readJson(body: AsyncIterable<Uint8Array>, room: AnswerRoom): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      if (size + chunk.length > LONGEST) throw new TgiAnswerError(`it is longer than ${LONGEST} bytes`);
      room.take(chunk.length);
      size += chunk.length;
      chunks.push(chunk);
    }
    return parse(Buffer.concat(chunks).toString('utf8'));
  } finally {
    room.giveBack(size);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TgiAnswerError('it is no JSON');
  }
}
