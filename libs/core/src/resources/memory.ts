import { Mismatch } from '../configuration/schema/mismatch.js';

const expected = 'a size like 512MB, 16GB or 1TB (a plain number is GB)';
const gbPerUnit: Readonly<Record<string, number>> = { MB: 1 / 1024, GB: 1, TB: 1024 };

/** A size in GB. MB, GB and TB are binary multiples of one another, whatever their names say. */
export function parseMemory(text: string): number {
  const [, digits, unit = 'GB'] = /^(\d+(?:\.\d+)?)(MB|GB|TB)?$/.exec(text.replaceAll(/\s+/g, '').toUpperCase()) ?? [];
  const factor = gbPerUnit[unit];
  const value = Number(digits) * (factor ?? Number.NaN);
  if (digits === undefined || !Number.isFinite(value))
    throw new Mismatch(`cannot parse the size "${text}": expected ${expected}`, { expected });
  return value;
}
