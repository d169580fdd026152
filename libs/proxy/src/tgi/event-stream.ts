import { TgiAnswerError } from './tgi-answer-error.js';

/** Characters of one event; a replica that sends no end of one is not read for ever. */
const LONGEST = 1024 * 1024;

/** The data of each server-sent event; comments and events without data are passed over. */
export async function* eventData(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let text = '';
  let data: string[] = [];
  let size = 0;
  for await (const each of bytes) {
    text += decoder.decode(each, { stream: true });
    const lines = text.split(/\r?\n/);
    text = lines.pop() ?? '';
    size += lines.reduce((sum, { length }) => sum + length, 0);
    if (text.length + size > LONGEST) throw new TgiAnswerError('an event of its stream is too long');
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
      if (line !== '') continue;
      size = 0;
      if (data.length === 0) continue;
      yield data.join('\n');
      data = [];
    }
  }
}

export function dataEvent(data: string): string {
  return `data: ${data}\n\n`;
}

/** A comment of one line: clients pass over it, people who look at the stream read it. */
export function commentEvent(text: string): string {
  return `: ${text.replace(/[\r\n]+/g, ' ')}\n\n`;
}
