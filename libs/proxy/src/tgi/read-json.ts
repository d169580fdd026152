import { TgiAnswerError } from './tgi-answer-error.js';

/** Bytes: the prompt's tokens come one by one with the answer. */
const LONGEST = 64 * 1024 * 1024;

/** @throws {TgiAnswerError} */
export async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LONGEST) throw new TgiAnswerError(`it is longer than ${LONGEST} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new TgiAnswerError('it is no JSON');
  }
}
