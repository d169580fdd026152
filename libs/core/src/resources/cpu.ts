import { Mismatch } from '../configuration/schema/mismatch.js';
import { parseCount } from './count.js';
import { parseRange } from './range.js';

export const cpuArchitectures = ['x86', 'arm'] as const;
export type CpuArchitecture = (typeof cpuArchitectures)[number];

interface CpuText {
  readonly arch: CpuArchitecture | null;
  readonly count: { min: number | null; max: number | null } | null;
}

/** Tokens joined by `:` in any order: a count or range, and an architecture. */
export function parseCpu(text: string): CpuText {
  let arch: CpuArchitecture | null = null;
  let count: { min: number | null; max: number | null } | null = null;
  for (const token of text.replaceAll(/\s+/g, '').split(':')) {
    if (token === '')
      throw new Mismatch(`CPU spec "${text}" contains empty token`, { expected: 'like 4.., x86:8 or arm:2..8' });
    if (/^[-.\d]+$/.test(token) || token.includes('..')) {
      if (count !== null) throw new Mismatch(`CPU spec "${text}": count conflict, it is given twice`);
      count = parseRange(token, parseCount);
      continue;
    }
    const found = cpuArchitectures.find((candidate) => candidate === token.toLowerCase());
    if (found === undefined)
      throw new Mismatch(`invalid CPU architecture "${token}": expected ${cpuArchitectures.join(' or ')}`, {
        expected: cpuArchitectures.join(' or '),
      });
    if (arch !== null) throw new Mismatch(`CPU spec "${text}": arch conflict, it is given twice`);
    arch = found;
  }
  return { arch, count };
}
