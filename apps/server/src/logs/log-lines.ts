import type { StoredChunk } from './log-store.js';

/** One event of `logs/poll`: a line with its line break, or a part of one that has none yet. */
export interface LogLine {
  readonly startOffset: number;
  readonly endOffset: number;
  /** Unix ms at which the line's last byte was written. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

const NEWLINE = 0x0a;

/**
 * Cuts consecutive chunks into lines. The rest without a line break comes last, with `whole: false`.
 * A line longer than `maxLineBytes` is cut into parts of that size, so that no reply grows without bound.
 */
export function cutLines(
  chunks: readonly StoredChunk[],
  maxLineBytes: number,
): { lines: LogLine[]; rest: LogLine | undefined } {
  const lines: LogLine[] = [];
  let parts: Uint8Array[] = [];
  let length = 0;
  let start = chunks[0]?.startOffset ?? 0;
  let lastAt = 0;
  const emit = (at: number) => {
    lines.push({ startOffset: start, endOffset: start + length, at, bytes: Buffer.concat(parts) });
    start += length;
    parts = [];
    length = 0;
  };
  const take = (bytes: Uint8Array, at: number) => {
    let left = bytes;
    while (left.length > 0) {
      const piece = left.subarray(0, maxLineBytes - length);
      parts.push(piece);
      length += piece.length;
      left = left.subarray(piece.length);
      if (length === maxLineBytes) emit(at);
    }
  };
  for (const { payload, at } of chunks) {
    lastAt = at;
    let from = 0;
    for (let newline = payload.indexOf(NEWLINE); newline !== -1; newline = payload.indexOf(NEWLINE, from)) {
      take(payload.subarray(from, newline + 1), at);
      if (length > 0) emit(at);
      from = newline + 1;
    }
    take(payload.subarray(from), at);
  }
  if (length === 0) return { lines, rest: undefined };
  const whole = lines.length;
  emit(lastAt);
  return { lines: lines.slice(0, whole), rest: lines[whole] };
}
