import { z } from 'zod';
import { driverField, type FoundGpu, type FoundGpus } from './found-gpus.js';
import type { GpuUsage } from './gpu-usage.js';
import { csvRows, parseToolJson, toolNumber, toolValue } from './tool-value.js';

export const AMD_LIST_ARGS = ['static', '--json', '--asic', '--vram', '--bus'] as const;
export const AMD_USAGE_ARGS = ['monitor', '-vu', '--csv'] as const;

const size = z.union([z.object({ value: z.union([z.number(), z.string()]), unit: z.string() }), z.string()]);
const device = z.object({
  gpu: z.number().int(),
  asic: z.object({ market_name: z.string().optional(), device_id: z.string().optional() }),
  vram: z.object({ size: size.optional() }).optional(),
  bus: z.object({ bdf: z.string() }),
  driver: z.object({ version: z.string().optional() }).optional().catch(undefined),
});
/** ROCm 6 prints the devices, ROCm 7 an object around them. */
const printed = z.union([z.array(z.unknown()), z.object({ gpu_data: z.array(z.unknown()) })]);

/** For cards whose board tells no product name. */
const NAME_BY_DEVICE_ID: ReadonlyMap<string, string> = new Map([
  ['738c', 'MI100'],
  ['740f', 'MI210'],
  ['740c', 'MI250'],
  ['7408', 'MI250X'],
  ['74a0', 'MI300A'],
  ['74a1', 'MI300X'],
  ['74a9', 'MI300X'],
  ['74b5', 'MI300X'],
  ['74bd', 'MI300X'],
  ['74a2', 'MI308X'],
  ['74b6', 'MI308X'],
  ['74a5', 'MI325X'],
  ['75a0', 'MI350X'],
  ['75a3', 'MI355X'],
]);

/** @param renderNodeOf the render node behind a PCI address: what a container is given, and so what is locked. */
export function parseAmdList(text: string, renderNodeOf: (bdf: string) => string | undefined): FoundGpus {
  const parsed = printed.safeParse(parseToolJson(text));
  if (!parsed.success) return { gpus: [], problems: ['amd-smi did not print a list of GPUs'] };
  const entries = Array.isArray(parsed.data) ? parsed.data : parsed.data.gpu_data;
  const gpus: FoundGpu[] = [];
  const problems: string[] = [];
  for (const [position, entry] of entries.entries()) {
    const { data } = device.safeParse(entry);
    const name = data === undefined ? undefined : productName(data.asic.market_name, data.asic.device_id);
    if (data === undefined || name === undefined) {
      problems.push(`amd-smi: entry ${position} does not describe a GPU`);
      continue;
    }
    const lockId = renderNodeOf(data.bus.bdf.toLowerCase());
    if (lockId === undefined) {
      problems.push(`amd-smi: GPU ${data.gpu} at ${data.bus.bdf} has no render node under /dev/dri`);
      continue;
    }
    const driver = driverField(driverVersion(data.driver?.version));
    gpus.push({ vendor: 'amd', name, memoryMib: toMib(data.vram?.size), lockId, ...driver, toolIndex: data.gpu });
  }
  return { gpus, problems };
}

/** By the tool's index. Rows of partitions and values that are not told are left out. */
export function parseAmdUsage(text: string): Map<number, GpuUsage> {
  // Warnings may stand above the table.
  const rows = csvRows(text);
  const start = rows.findIndex((row) => row[0] === 'gpu');
  const header = rows[start] ?? [];
  const column = (...names: string[]): number => header.findIndex((title) => names.includes(title.toLowerCase()));
  const gfx = column('gfx', 'gfx_util', 'gfx%');
  const vram = column('vram_used', 'vram_usage');
  const usage = new Map<number, GpuUsage>();
  if (start < 0 || vram < 0) return usage;
  for (const row of rows.slice(start + 1)) {
    const index = toolNumber(row[0]);
    const memoryMb = toolNumber(row[vram]);
    if (index === undefined || memoryMb === undefined || usage.has(index)) continue;
    usage.set(index, { memoryUsageBytes: memoryMb * 1024 ** 2, utilPercent: toolNumber(row[gfx]) ?? 0 });
  }
  return usage;
}

function productName(marketName: string | undefined, deviceId: string | undefined): string | undefined {
  const name = toolValue(marketName);
  if (name !== undefined && !/^0x[0-9a-f]+$/i.test(name)) return name;
  const product = NAME_BY_DEVICE_ID.get((deviceId ?? name ?? '').toLowerCase().replace(/^0x/, ''));
  return product === undefined ? undefined : `AMD Instinct ${product}`;
}

/** For the driver that comes with the kernel the tool prints all of /proc/version, without its spaces. */
function driverVersion(told: string | undefined): string | undefined {
  const version = toolValue(told);
  return /^Linux ?version ?([^\s(]+)/.exec(version ?? '')?.[1] ?? version;
}

/** The tool says MB and means MiB. */
function toMib(value: z.infer<typeof size> | undefined): number {
  const [number, unit] =
    typeof value === 'object' ? [String(value.value), value.unit] : (value ?? '').trim().split(/\s+/);
  const amount = toolNumber(number) ?? 0;
  return Math.round(unit?.toUpperCase().startsWith('G') === true ? amount * 1024 : amount);
}
