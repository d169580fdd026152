import type { CatalogGpu, CatalogRow, CatalogType, PriceSource } from '@dstack/catalog';
import { knownAccelerator, type Wire } from '@dstack/core';

export class TableError extends Error {
  override readonly name = 'TableError';
}

const COLUMNS =
  'provider,instance_name,location,price,cpu,memory_gb,gpu_vendor,gpu_name,gpu_count,gpu_memory_gb,spot,cpu_arch,disk_size_gb,flags';

export type PricedRow = Omit<CatalogRow, 'source'>;

/**
 * A table of prices, a row a line, without quotes: USD per hour, GiB, empty where nobody knows.
 * @throws {TableError} that names the line
 */
export function readTable(text: string, sourceOf: (row: PricedRow) => PriceSource): CatalogRow[] {
  const [head, ...lines] = text.trimEnd().split(/\r?\n/);
  if (head !== COLUMNS) throw new TableError(`line 1: the columns are not ${COLUMNS}`);
  const types = new Map<string, CatalogType>();
  return lines.map((line, index) => {
    const row = readRow(line, `line ${index + 2}`, types);
    return { ...row, source: sourceOf(row) };
  });
}

function readRow(line: string, place: string, types: Map<string, CatalogType>): PricedRow {
  const fields = line.split(',');
  if (fields.length !== COLUMNS.split(',').length) throw new TableError(`${place}: ${fields.length} fields`);
  const [, name = '', location = '', price, ...rest] = fields;
  const usdPerHour = Number(price);
  if (name === '' || location === '' || !(usdPerHour > 0)) {
    throw new TableError(`${place}: a row needs a name, a location and a price`);
  }
  const isSpot = rest[6] === 'true';
  const key = `${name},${rest.filter((_, index) => index !== 6).join(',')}`;
  const type = types.get(key) ?? readType(name, rest, place);
  types.set(key, type);
  return { type, location, price: usdPerHour, isSpot };
}

function readType(name: string, rest: readonly string[], place: string): CatalogType {
  const [cpus, memory, vendor, gpuName = '', gpuCount, gpuMemory, , arch, disk, flags = ''] = rest;
  return {
    name,
    cpus: optional(cpus),
    memoryMib: toMib(memory),
    gpu: gpuName === '' ? null : readGpu(gpuName, vendor, Number(gpuCount), toMib(gpuMemory), place),
    cpuArch: arch === 'arm' ? 'arm' : 'x86',
    diskGb: optional(disk),
    flags: flags.split(' ').filter((flag) => flag !== ''),
  };
}

function readGpu(
  name: string,
  vendor: string | undefined,
  count: number,
  memoryMib: number | null,
  place: string,
): CatalogGpu {
  const known = knownAccelerator(name);
  if (known === undefined) throw new TableError(`${place}: ${name} is no accelerator that users can name`);
  if (known.vendor !== vendor) throw new TableError(`${place}: ${name} is of ${known.vendor}, not ${vendor}`);
  if (!(count >= 1)) throw new TableError(`${place}: ${name} without a count`);
  return { vendor: known.vendor satisfies Wire.AcceleratorVendor, name: known.name, count, memoryMib: memoryMib ?? 0 };
}

function optional(text: string | undefined): number | null {
  return text === undefined || text === '' ? null : Number(text);
}

function toMib(gib: string | undefined): number | null {
  const value = optional(gib);
  return value === null ? null : Math.round(value * 1024);
}
