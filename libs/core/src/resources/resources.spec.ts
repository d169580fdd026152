import { parseResourceValue } from './parse-resource-value.js';
import type { ResourceField } from './parse-resource-value.js';
import { prettyInstanceGpus, prettyInstanceResources, prettyResourcesSpec } from './pretty-resources.js';
import { prettyRange } from './range.js';
import { defaultResources, resourcesSchema } from './resources-schema.js';
import { runSchema } from '../configuration/schema/run-schema.js';

const bounds = (min: number | null, max: number | null) => ({ min, max });
const gpu = (parts: object) => ({
  vendor: null,
  name: null,
  count: bounds(1, null),
  memory: null,
  total_memory: null,
  compute_capability: null,
  ...parts,
});

function read(field: ResourceField, value: unknown): unknown {
  const parsed = runSchema(resourcesSchema(), { [field]: value });
  if (!parsed.ok) return parsed.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('\n');
  return parsed.value[field];
}

describe('a range', () => {
  it.each<[unknown, object]>([
    [4, bounds(4, 4)],
    ['4', bounds(4, 4)],
    ['2..', bounds(2, null)],
    ['..8', bounds(null, 8)],
    ['2..8', bounds(2, 8)],
    [' 2 .. 8 ', bounds(2, 8)],
    [{ min: 2 }, bounds(2, null)],
    [{ min: 2, max: 8 }, bounds(2, 8)],
    [{ min: '2', max: null }, bounds(2, null)],
  ])('%j is a number of CPUs', (written, count) => {
    expect(read('cpu', { count: written })).toEqual({ arch: null, count });
  });

  it.each([
    ['..', 'empty range'],
    ['...', 'invalid range'],
    ['1...3', 'invalid range'],
    ['8..2', 'range order'],
    ['', 'empty'],
    ['1..2..3', 'invalid range'],
    ['a', 'not a whole number'],
    ['-1', 'must not be negative, is -1'],
    ['-2..4', 'must not be negative, is -2'],
    [{}, 'empty range'],
    [{ min: 8, max: 2 }, 'range order'],
    [{ min: 1, most: 2 }, 'not a known property'],
    [1.5, 'not a whole number'],
    [true, 'expected'],
  ])('%j is refused: %s', (written, message) => {
    expect(read('cpu', { count: written })).toContain(message);
  });

  it.each([
    [bounds(2, 2), '2'],
    [bounds(2, null), '2..'],
    [bounds(null, 8), '..8'],
    [bounds(2, 8), '2..8'],
    [bounds(1e-7, 1e25), '0.0000001..10000000000000000000000000'],
  ])('%j prints as %s', (range, printed) => {
    expect(prettyRange(range)).toBe(printed);
  });
});

describe('memory', () => {
  it.each<[unknown, object]>([
    [16, bounds(16, 16)],
    [16.5, bounds(16.5, 16.5)],
    ['16', bounds(16, 16)],
    ['512MB', bounds(0.5, 0.5)],
    ['16 gb', bounds(16, 16)],
    ['1TB', bounds(1024, 1024)],
    ['512MB..2', bounds(0.5, 2)],
    ['..1 TB', bounds(null, 1024)],
    ['16GB..32', bounds(16, 32)],
    [{ min: '512MB', max: 4 }, bounds(0.5, 4)],
  ])('%j', (written, size) => {
    expect(read('memory', written)).toEqual(size);
  });

  it.each(['16GiB', '16G', '1KB', 'lots', '-1GB', '1e3', 'GB'])('%s is not a size', (written) => {
    expect(read('memory', written)).toContain('cannot parse the size');
  });

  it('shm_size is one size', () => {
    expect(read('shm_size', '16GB')).toBe(16);
    expect(read('shm_size', '1..2')).toContain('cannot parse the size');
  });

  it.each<[unknown, object]>([
    ['100GB..', { size: bounds(100, null) }],
    [100, { size: bounds(100, 100) }],
    [{ size: '1TB' }, { size: bounds(1024, 1024) }],
    [{ min: 50 }, { size: bounds(50, null) }],
  ])('%j is a disk', (written, disk) => {
    expect(read('disk', written)).toEqual(disk);
  });
});

describe('cpu', () => {
  it.each<[unknown, string | null, object]>([
    [8, null, bounds(8, 8)],
    ['4..', null, bounds(4, null)],
    ['x86', 'x86', bounds(2, null)],
    ['arm:8', 'arm', bounds(8, 8)],
    ['8..:ARM', 'arm', bounds(8, null)],
    [{ arch: 'ARM', count: 4 }, 'arm', bounds(4, 4)],
    [{ arch: 'x86' }, 'x86', bounds(2, null)],
    [{ min: 4 }, null, bounds(4, null)],
  ])('%j', (written, arch, count) => {
    expect(read('cpu', written)).toEqual({ arch, count });
  });

  it.each([
    ['arm:', 'contains empty token'],
    ['-2', 'must not be negative, is -2'],
    ['2:foo', 'invalid CPU architecture "foo"'],
    ['arm:x86', 'arch conflict'],
    ['2:arm:2', 'count conflict'],
  ])('%s is refused: %s', (written, message) => {
    expect(read('cpu', written)).toContain(message);
  });
});

describe('gpu', () => {
  it.each<[unknown, object]>([
    [1, { count: bounds(1, 1) }],
    ['1', { count: bounds(1, 1) }],
    ['24GB..', { memory: bounds(24, null) }],
    ['A100', { name: ['A100'] }],
    ['A10G,A100:2', { name: ['A10G', 'A100'], count: bounds(2, 2) }],
    ['A10G, A100 : 2', { name: ['A10G', 'A100'], count: bounds(2, 2) }],
    ['A100:80GB:4..8', { name: ['A100'], memory: bounds(80, 80), count: bounds(4, 8) }],
    ['A100:40GB..80GB:2', { name: ['A100'], memory: bounds(40, 80), count: bounds(2, 2) }],
    ['16GB..32', { memory: bounds(16, 32) }],
    ['nvidia:16GB..', { vendor: 'nvidia', memory: bounds(16, null) }],
    ['AMD', { vendor: 'amd' }],
    ['tt', { vendor: 'tenstorrent' }],
    ['MI300X:8', { name: ['MI300X'], count: bounds(8, 8) }],
    ['tpu:v5litepod-8', { vendor: 'google', name: ['v5litepod-8'] }],
    ['tpu-v5litepod-8', { name: ['v5litepod-8'] }],
    ['v5e-4', { name: ['v5litepod-4'] }],
    ['0', { count: bounds(0, 0) }],
    [{ name: 'H100' }, { name: ['H100'] }],
    [{ name: 'H100,A100' }, { name: ['H100', 'A100'] }],
    [
      { name: ['H100', 'A100'], count: '2..' },
      { name: ['H100', 'A100'], count: bounds(2, null) },
    ],
    [
      { vendor: 'TPU', total_memory: '80GB..' },
      { vendor: 'google', total_memory: bounds(80, null) },
    ],
    [{ compute_capability: 7.5 }, { compute_capability: [7, 5] }],
    [{ compute_capability: '8.10' }, { compute_capability: [8, 10] }],
    [{ compute_capability: 9 }, { compute_capability: [9, 0] }],
    [{ compute_capability: [7, 5] }, { compute_capability: [7, 5] }],
  ])('%j', (written, parts) => {
    expect(read('gpu', written)).toEqual(gpu(parts));
  });

  it.each([
    ['', 'empty token'],
    ['A100:', 'empty token'],
    ['A100,:2', 'empty name'],
    ['A100:2:3', 'count conflict'],
    ['nvidia:A100:amd', 'vendor conflict'],
    ['A100:H100', 'name conflict'],
    ['40GB:80GB', 'memory conflict'],
    [{ vendor: 'nvidea' }, 'expected one of nvidia'],
    [{ compute_capability: 'new' }, 'compute capability'],
    [{ compute_capability: [7] }, 'at least 2'],
    [[1], 'expected a GPU spec'],
  ])('%j is refused: %s', (written, message) => {
    expect(read('gpu', written)).toContain(message);
  });

  it('null is kept, for the server to fill in', () => {
    expect(read('gpu', null)).toBeNull();
  });
});

it('a run that asks for nothing asks for the defaults', () => {
  expect(runSchema(resourcesSchema(), {})).toEqual({ ok: true, value: defaultResources() });
});

it('a value from a command line is read like the field', () => {
  expect(parseResourceValue('memory', '16GB..')).toEqual({ ok: true, value: bounds(16, null) });
  expect(parseResourceValue('gpu', 'A100:H100')).toMatchObject({ ok: false, issues: [{ path: ['gpu'] }] });
});

describe('for people', () => {
  it.each([
    [{}, 'cpu=2.. mem=8GB.. disk=100GB.. gpu=0..'],
    [
      { cpu: 'arm:4', memory: '0.5..16', disk: 10, gpu: 'nvidia:A100,H100:80GB:2' },
      'cpu=arm:4 mem=0.5GB..16GB disk=10GB gpu=A100,H100:80GB:2',
    ],
    [
      { gpu: { vendor: 'amd', total_memory: '100GB..', compute_capability: 7.5 } },
      'cpu=2.. mem=8GB.. disk=100GB.. gpu=amd:1..:100GB..:7.5',
    ],
    [{ gpu: null, disk: null }, 'cpu=2.. mem=8GB..'],
  ])('%j is wanted', (written, printed) => {
    const parsed = runSchema(resourcesSchema(), written);
    expect(parsed.ok && prettyResourcesSpec(parsed.value)).toBe(printed);
  });

  it.each([
    [
      {
        cpus: 8,
        memory_mib: 32_768,
        gpus: [{ name: 'A10G', memory_mib: 24_576 }],
        spot: true,
        disk: { size_mib: 102_400 },
      },
      'cpu=8 mem=32GB disk=100GB gpu=A10G:24GB:1 (spot)',
    ],
    [{ cpus: 4, cpu_arch: 'x86' as const, memory_mib: 16_000, gpus: [], spot: false }, 'cpu=x86:4 mem=15.6GB'],
    [{ cpus: 0, memory_mib: 0, gpus: [{ name: 'v5litepod-8', memory_mib: 0 }], spot: false }, 'gpu=v5litepod-8:1'],
  ])('%j is there', (resources, printed) => {
    expect(prettyInstanceResources(resources)).toBe(printed);
  });

  it('an instance without a GPU shows a dash where GPUs are shown', () => {
    expect(prettyInstanceGpus({ gpus: [] })).toBe('-');
  });
});
