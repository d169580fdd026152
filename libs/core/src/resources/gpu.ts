import { Mismatch } from '../configuration/schema/mismatch.js';
import { parseCount } from './count.js';
import { parseMemory } from './memory.js';
import { parseRange } from './range.js';

export const gpuVendors = ['nvidia', 'amd', 'google', 'intel', 'tenstorrent'] as const;
export type GpuVendor = (typeof gpuVendors)[number];

const vendorAliases: ReadonlyMap<string, GpuVendor> = new Map([
  ...gpuVendors.map((vendor) => [vendor, vendor] as const),
  ['tpu', 'google'],
  ['tt', 'tenstorrent'],
]);

interface Bounds {
  min: number | null;
  max: number | null;
}

interface GpuText {
  readonly vendor: GpuVendor | null;
  readonly name: string[] | null;
  readonly memory: Bounds | null;
  readonly count: Bounds | null;
}

export function parseGpuVendor(text: string): GpuVendor | undefined {
  return vendorAliases.get(text.trim().toLowerCase());
}

/** Tokens joined by `:` in any order; each is a vendor, names, a memory range or a count, tried in that order. */
export function parseGpu(text: string): GpuText {
  const found: { vendor: GpuVendor | null; name: string[] | null; memory: Bounds | null; count: Bounds | null } = {
    vendor: null,
    name: null,
    memory: null,
    count: null,
  };
  const once = (part: keyof typeof found): void => {
    if (found[part] !== null) throw new Mismatch(`GPU spec "${text}": ${part} conflict, it is given twice`);
  };
  for (const token of text.replaceAll(/\s+/g, '').split(':')) {
    if (token === '')
      throw new Mismatch(`GPU spec "${text}" contains empty token`, {
        expected: 'like A100:80GB:2, nvidia:24GB.. or 1',
      });
    const vendor = parseGpuVendor(token);
    if (vendor !== undefined) {
      once('vendor');
      found.vendor = vendor;
    } else if (/^\p{L}/u.test(token)) {
      once('name');
      found.name = parseGpuNames(token.split(','), text);
    } else if (/\p{L}/u.test(token)) {
      once('memory');
      found.memory = parseRange(token, parseMemory);
    } else {
      once('count');
      found.count = parseRange(token, parseCount);
    }
  }
  return found;
}

/** The deprecated prefix `tpu-` is dropped: `tpu-v5litepod-8` is `v5litepod-8`, which Google also calls `v5e-8`. */
export function parseGpuNames(names: readonly string[], written: string): string[] {
  return names.map((name) => {
    const bare = name
      .trim()
      .replace(/^tpu-/i, '')
      .replace(/^v5e-(?=\d+$)/i, 'v5litepod-');
    if (bare === '')
      throw new Mismatch(`GPU spec "${written}" contains empty name`, { expected: 'GPU names joined by commas' });
    return bare;
  });
}

/** The least compute capability, as [major, minor]. Given as a number, 8.10 reads as 8.1: quote it. */
export function parseComputeCapability(text: string): number[] {
  const [, major, minor] = /^\s*(\d+)\.(\d+)\s*$/.exec(text) ?? (/^\s*\d+\s*$/.test(text) ? [text, text, '0'] : []);
  if (major === undefined || minor === undefined)
    throw new Mismatch(`invalid compute capability "${text}": expected major.minor, like 7.5`, {
      expected: 'major.minor, like 7.5',
    });
  return [Number(major), Number(minor)];
}
