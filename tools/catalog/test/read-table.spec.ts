import { readTable, TableError } from '../src/read-table.js';

const HEAD =
  'provider,instance_name,location,price,cpu,memory_gb,gpu_vendor,gpu_name,gpu_count,gpu_memory_gb,spot,cpu_arch,disk_size_gb,flags';
const source = { source: 'list', date: '2026', isExact: true };
const read = (...lines: string[]) => readTable([HEAD, ...lines].join('\n'), () => source);

describe('a table of prices', () => {
  it('gives rows that share their types', () => {
    const rows = read(
      'aws,g6,east,0.8,4,16.5,nvidia,L4,1,24,false,x86,,a b',
      'aws,g6,west,0.3,4,16.5,nvidia,L4,1,24,true,x86,,a b',
      'gcp,v4-32,west,9,,,google,v4-32,1,,false,x86,,',
    );
    expect(rows[0]).toEqual({
      type: {
        name: 'g6',
        cpus: 4,
        memoryMib: 16_896,
        gpu: { vendor: 'nvidia', name: 'L4', count: 1, memoryMib: 24_576 },
        cpuArch: 'x86',
        diskGb: null,
        flags: ['a', 'b'],
      },
      location: 'east',
      price: 0.8,
      isSpot: false,
      source,
    });
    expect(rows[1]?.type).toBe(rows[0]?.type);
    expect(rows[1]).toMatchObject({ location: 'west', isSpot: true });
    expect(rows[2]?.type).toMatchObject({ cpus: null, memoryMib: null, gpu: { vendor: 'google', memoryMib: 0 } });
  });

  it.each([
    ['an unknown accelerator', 'aws,g6,east,0.8,4,16,nvidia,L5,1,24,false,x86,,', 'line 2: L5'],
    ['a wrong vendor', 'aws,g6,east,0.8,4,16,amd,L4,1,24,false,x86,,', 'line 2: L4 is of nvidia, not amd'],
    ['no price', 'aws,g6,east,,4,16,,,0,,false,x86,,', 'line 2'],
    ['too few fields', 'aws,g6,east', 'line 2: 3 fields'],
  ])('with %s is refused', (_what, line, message) => {
    expect(() => read(line)).toThrow(TableError);
    expect(() => read(line)).toThrow(message);
  });

  it('with other columns is refused', () => {
    expect(() => readTable('a,b\n', () => source)).toThrow('line 1');
  });
});
