import { Mismatch } from '../configuration/schema/mismatch.js';

export function parseCount(text: string): number {
  if (/^-\d+$/.test(text)) throw new Mismatch(`must not be negative, is ${text}`, { expected: 'a whole number' });
  const count = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count))
    throw new Mismatch(`"${text}" is not a whole number`, { expected: 'a whole number' });
  return count;
}
