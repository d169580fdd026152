import { z } from 'zod';
import { byKind, eitherShape, own } from '../configuration/schema/choice.js';
import { kindOf } from '../configuration/schema/kind.js';
import { leaf } from '../configuration/schema/leaf.js';
import { mapping } from '../configuration/schema/mapping.js';
import { Mismatch } from '../configuration/schema/mismatch.js';
import { defaulted, defaultedOrNull, listOf, optional } from '../configuration/schema/presence.js';
import { expectedBut, integer, readNumber, readText } from '../configuration/schema/scalars.js';
import type * as Wire from '../wire/generated/api.js';
import { parseCount } from './count.js';
import { cpuArchitectures, parseCpu } from './cpu.js';
import { parseDiskSize } from './disk.js';
import { parseComputeCapability, parseGpu, parseGpuNames, parseGpuVendor } from './gpu.js';
import { parseMemory } from './memory.js';
import { checkedRange, parseRange } from './range.js';

interface Bounds {
  min: number | null;
  max: number | null;
}

const anyText = { type: 'string' } as const;
const anyNumber = { type: 'number' } as const;

function shorthand<T>(parse: (text: string) => T): z.ZodType<T> {
  return leaf({ anyOf: [anyText, anyNumber] }, (value) => parse(readText(value)));
}

/** One size, in GB. */
export function memorySize(): z.ZodType<number> {
  return leaf({ anyOf: [anyText, { ...anyNumber, minimum: 0 }] }, (value) => {
    const kind = kindOf(value);
    if (kind !== 'text' && kind !== 'number') throw expectedBut('a size like 16GB', value);
    return parseMemory(String(readNumber(value) ?? readText(value)));
  });
}

function range(
  parseBound: (text: string) => number,
  bound: () => z.ZodType<number>,
  expected: string,
): z.ZodType<Bounds> {
  const short = shorthand((written) => parseRange(written, parseBound));
  const bounds = mapping({ min: optional(bound()), max: optional(bound()) });
  const full = leafOver(bounds, ({ min, max }) => checkedRange(min, max, `${min ?? ''}..${max ?? ''}`));
  return byKind(expected, { text: short, number: short, mapping: full });
}

/** A whole-number range. */
export function countRange(): z.ZodType<Bounds> {
  return range(parseCount, () => integer({ min: 0 }), 'a number or a range like 2..8');
}

/** A range of sizes in GB. */
export function memoryRange(): z.ZodType<Bounds> {
  return range(parseMemory, memorySize, 'a size or a range of sizes, like 16GB..64GB');
}

/** Reads on after another schema; what the reader rejects is an issue at the same place. */
function leafOver<T, U>(schema: z.ZodType<T>, read: (value: T) => U): z.ZodType<U> {
  return schema.transform((value, context): U => {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      context.issues.push({
        code: 'custom',
        message: error.message,
        input: value,
        params: { expected: error.expected },
      });
      return z.NEVER;
    }
  });
}

interface Cpu {
  arch: (typeof cpuArchitectures)[number] | null;
  count: Bounds;
}

const defaultCpuCount = (): Bounds => ({ min: 2, max: null });

function cpu(): z.ZodType<Cpu> {
  const short = shorthand((written): Cpu => {
    const { arch, count } = parseCpu(written);
    return { arch, count: count ?? defaultCpuCount() };
  });
  const arch = leaf(
    { anyOf: cpuArchitectures.flatMap((name) => [{ const: name }, { const: name.toUpperCase() }]) },
    (value) => {
      const found = cpuArchitectures.find((name) => typeof value === 'string' && name === value.toLowerCase());
      if (found === undefined) throw expectedBut(cpuArchitectures.join(' or '), value);
      return found;
    },
  );
  const full = mapping({ arch: optional(arch), count: defaulted(countRange(), defaultCpuCount) });
  const legacy = countRange().transform((count): Cpu => ({ arch: null, count }));
  const object = eitherShape(isBounds, legacy, full);
  return byKind('a CPU spec like 4.. or arm:8', { text: short, number: short, mapping: object });
}

type Gpu = NonNullable<Required<NonNullable<Wire.ResourcesSpec['gpu']>>>;

const defaultGpu = (): Gpu => ({
  vendor: null,
  name: null,
  count: { min: 0, max: null },
  memory: null,
  total_memory: null,
  compute_capability: null,
});
const atLeastOne = (): Bounds => ({ min: 1, max: null });

function gpu(): z.ZodType<Gpu> {
  const short = shorthand((written): Gpu => {
    const { vendor, name, memory, count } = parseGpu(written);
    return { vendor, name, count: count ?? atLeastOne(), memory, total_memory: null, compute_capability: null };
  });
  const vendor = leaf(anyText, (value) => {
    const found = typeof value === 'string' ? parseGpuVendor(value) : undefined;
    if (found === undefined) throw expectedBut('one of nvidia, amd, google, intel, tenstorrent', value);
    return found;
  });
  const oneName = shorthand((written) => parseGpuNames(written.split(','), written));
  const names = listOf(shorthand((written) => parseGpuNames([written], written).join()));
  const capabilityText = shorthand(parseComputeCapability);
  const capabilityPair = listOf(integer({ min: 0 }), { min: 2, max: 2 });
  const full = mapping({
    vendor: optional(vendor),
    name: optional(byKind('a GPU name or a list of names', { text: oneName, number: oneName, list: names })),
    count: defaulted(countRange(), atLeastOne),
    memory: optional(memoryRange()),
    total_memory: optional(memoryRange()),
    compute_capability: optional(
      byKind('a compute capability like 7.5', { text: capabilityText, number: capabilityText, list: capabilityPair }),
    ),
  });
  return byKind('a GPU spec like A100:80GB:2', { text: short, number: short, mapping: full });
}

/** `{min, max}` without `count` or `size` is the older form. */
const isBounds = (value: unknown): boolean => own(value, 'min') !== undefined || own(value, 'max') !== undefined;

interface Disk {
  size: Bounds;
}

function disk(): z.ZodType<Disk> {
  const short = shorthand((written): Disk => ({ size: parseDiskSize(written) }));
  const full = mapping({ size: memoryRange() });
  const bare = memoryRange().transform((size): Disk => ({ size }));
  const object = eitherShape(isBounds, bare, full);
  return byKind('a disk size like 100GB..', { text: short, number: short, mapping: object });
}

/** What a run asks for when it does not say. */
export function defaultResources(): Wire.ResourcesSpec {
  return {
    cpu: { arch: null, count: defaultCpuCount() },
    memory: { min: 8, max: null },
    shm_size: null,
    gpu: defaultGpu(),
    disk: { size: { min: 100, max: null } },
  };
}

export function resourcesSchema(): z.ZodType<Wire.ResourcesSpec> {
  return mapping({
    cpu: defaulted(cpu(), () => ({ arch: null, count: defaultCpuCount() })),
    memory: defaulted(memoryRange(), () => ({ min: 8, max: null })),
    shm_size: optional(memorySize()),
    gpu: defaultedOrNull(gpu(), defaultGpu),
    disk: defaultedOrNull(disk(), () => ({ size: { min: 100, max: null } })),
  });
}
