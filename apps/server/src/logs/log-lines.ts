import type { StoredChunk } from './log-store.js';
import { wholeCharacters } from './sinks/log-text.js';

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
 * A line longer than `maxLineBytes` is cut into parts of that size (between characters), so that no reply grows without bound. Where bytes are
 * missing between two chunks, what stands before them ends there.
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
  const emit = (at: number, isCut = false) => {
    const all = Buffer.concat(parts);
    const bytes = isCut ? all.subarray(0, wholeCharacters(all)) : all;
    lines.push({ startOffset: start, endOffset: start + bytes.length, at, bytes });
    start += bytes.length;
    length = all.length - bytes.length;
    parts = length === 0 ? [] : [all.subarray(bytes.length)];
  };
  const take = (bytes: Uint8Array, at: number) => {
    let left = bytes;
    while (left.length > 0) {
      const piece = left.subarray(0, maxLineBytes - length);
      parts.push(piece);
      length += piece.length;
      left = left.subarray(piece.length);
      if (length === maxLineBytes) emit(at, true);
    }
  };
  for (const { startOffset, payload, at } of chunks) {
    if (startOffset !== start + length) {
      if (length > 0) emit(lastAt);
      start = startOffset;
    }
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
