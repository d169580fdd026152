import { isUtf8 } from 'node:buffer';

const REPLACEMENT = 0x3f; // ?

/**
 * Bytes as text. What is no UTF-8 becomes `?`, a byte each, so that the text has as many bytes as the job wrote and offsets hold
 * wherever it is kept.
 */
export function textOf(bytes: Uint8Array): string {
  if (isUtf8(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const repaired = Buffer.from(bytes);
  for (let at = 0; at < repaired.length;) {
    const length = sequenceLength(repaired, at);
    if (length === 0) repaired[at] = REPLACEMENT;
    at += Math.max(1, length);
  }
  return repaired.toString('utf8');
}

/** How many of the bytes are whole characters: what is begun at their end and could go on is left out (3 bytes at most). */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    return announcedLength(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Of the character that begins there; 0: none does. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const length = announcedLength(bytes[at] ?? 0);
  return length > 0 && at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

function announcedLength(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
}
