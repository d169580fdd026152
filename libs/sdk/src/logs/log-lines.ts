import type { LogChunk, LogLine } from './log-chunk.js';

/** Cuts chunks into lines (LF or CRLF); a last line without an end is given too. */
export async function* logLines(chunks: AsyncIterable<LogChunk>): AsyncIterable<LogLine> {
  let rest: Uint8Array[] = [];
  let last: LogChunk | undefined;
  const line = (endOffset: number, atMs: number): LogLine => {
    const text = Buffer.concat(rest).toString('utf8').replace(/\r+$/, '');
    rest = [];
    return { text, endOffset, atMs };
  };
  for await (const chunk of chunks) {
    last = chunk;
    const start = chunk.endOffset - chunk.bytes.length;
    let from = 0;
    for (let end = chunk.bytes.indexOf(10); end >= 0; end = chunk.bytes.indexOf(10, from)) {
      rest.push(chunk.bytes.subarray(from, end));
      from = end + 1;
      yield line(start + from, chunk.atMs);
    }
    if (from < chunk.bytes.length) rest.push(chunk.bytes.slice(from));
  }
  if (last && rest.length > 0) yield line(last.endOffset, last.atMs);
}
