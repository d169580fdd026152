import { discoverGpus } from './discover-gpus.js';
import type { HostProbe } from './host-probe.js';
import { measureGpus } from './measure-gpus.js';

// Where the shapes come from: "GPU tools" in the README of this package.
type Tools = Readonly<Record<string, string | Error>>;

/** A host with these paths, files and tools; a tool is named by its file and the arguments it knows. */
function host(paths: readonly string[], tools: Tools = {}, files: Readonly<Record<string, string>> = {}): HostProbe {
  return {
    exists: (path) => paths.includes(path),
    readText: (path) => files[path],
    realPath: (path) => files[path],
    run: async (file, args) => {
      const line = [file, ...args].join(' ');
      const known = Object.entries(tools).find(([start]) => line.startsWith(start))?.[1];
      if (known === undefined) throw new Error(`spawn ${file} ENOENT`);
      if (typeof known === 'string') return known;
      throw known;
    },
  };
}

const NVIDIA = ['/dev/nvidiactl'];
const AMD_NODES = {
  '/dev/dri/by-path/pci-0000:0c:00.0-render': '/dev/dri/renderD128',
  '/dev/dri/by-path/pci-0000:22:00.0-render': '/dev/dri/renderD136',
};
const amd = (gpu: number, bdf: string, more: object = {}) => ({
  gpu,
  asic: { market_name: 'AMD Instinct MI300X OAM', vendor_id: '0x1002', device_id: '0x74a1' },
  bus: { bdf, max_pcie_width: 16 },
  vram: { type: 'HBM', vendor: 'N/A', size: { value: 196592, unit: 'MB' } },
  driver: { name: 'amdgpu', version: '6.10.5' },
  ...more,
});
const tt = (board_type: string, bus_id: string, board_id: string) => ({ board_info: { board_type, bus_id, board_id } });

describe('discovery of GPUs', () => {
  it.each<[string, HostProbe, object]>([
    ['none without device nodes', host([], { 'nvidia-smi': 'x' }), { vendor: undefined, gpus: [], problems: [] }],
    [
      'NVIDIA',
      host(NVIDIA, { 'nvidia-smi': 'NVIDIA H100 80GB HBM3, 81559, GPU-a, 550.54.15\nTesla T4, 15360, GPU-b, [N/A]\n' }),
      {
        gpus: [
          {
            vendor: 'nvidia',
            name: 'NVIDIA H100 80GB HBM3',
            memoryMib: 81559,
            lockId: 'GPU-a',
            driverVersion: '550.54.15',
          },
          { vendor: 'nvidia', name: 'Tesla T4', memoryMib: 15360, lockId: 'GPU-b' },
        ],
        problems: [],
      },
    ],
    [
      'NVIDIA under WSL',
      host(['/dev/dxg', '/usr/lib/wsl/lib/nvidia-smi'], {
        '/usr/lib/wsl/lib/nvidia-smi': 'NVIDIA GB10, [N/A], GPU-c, 580.1\n',
      }),
      { gpus: [{ vendor: 'nvidia', name: 'NVIDIA GB10', memoryMib: 0, lockId: 'GPU-c', driverVersion: '580.1' }] },
    ],
    [
      'NVIDIA with one device off the bus: the others stay',
      host(NVIDIA, {
        'nvidia-smi':
          'Unable to determine the device handle for GPU0000:3B:00.0: Unknown Error\nTesla T4, 15360, GPU-b, 550\n',
      }),
      { gpus: [{ lockId: 'GPU-b' }], problems: [expect.stringContaining('does not describe a GPU')] },
    ],
    [
      'NVIDIA whose driver is broken',
      host(NVIDIA, { 'nvidia-smi': new Error("couldn't communicate with the NVIDIA driver") }),
      { vendor: 'nvidia', gpus: [], problems: [expect.stringContaining("couldn't communicate")] },
    ],
    [
      'NVIDIA with fields that it does not know',
      host(NVIDIA, {
        'nvidia-smi':
          'NVIDIA GB10, [N/A], GPU-a, 580.95.05\nTesla T4, [Unknown Error], GPU-b, [Not Supported]\n[N/A], 15360, GPU-c, 550\n',
      }),
      {
        gpus: [
          { name: 'NVIDIA GB10', memoryMib: 0, driverVersion: '580.95.05' },
          { name: 'Tesla T4', memoryMib: 0 },
        ],
        problems: [expect.stringContaining('GPU-c')],
      },
    ],
    [
      'AMD as ROCm 6 prints it',
      host(['/dev/kfd'], { 'amd-smi': JSON.stringify([amd(0, '0000:0c:00.0'), amd(1, '0000:22:00.0')]) }, AMD_NODES),
      {
        gpus: [
          {
            vendor: 'amd',
            name: 'AMD Instinct MI300X OAM',
            memoryMib: 196592,
            lockId: '/dev/dri/renderD128',
            driverVersion: '6.10.5',
          },
          { lockId: '/dev/dri/renderD136' },
        ],
      },
    ],
    [
      'AMD as ROCm 7 prints it, by an image, without a driver and with a device that tells no name',
      host(
        ['/dev/kfd'],
        {
          'docker run --rm --device /dev/kfd --device /dev/dri dstackai/amd-smi static --json --asic --vram --bus --driver':
            new Error('exit 2'),
          'docker run': JSON.stringify({
            gpu_data: [
              amd(0, '0000:0C:00.0', { asic: { market_name: 'N/A', device_id: '0x75a3' }, driver: { version: 'N/A' } }),
            ],
          }),
        },
        AMD_NODES,
      ),
      { gpus: [{ vendor: 'amd', name: 'AMD Instinct MI355X', memoryMib: 196592, lockId: '/dev/dri/renderD128' }] },
    ],
    [
      'AMD without a render node or a size',
      host(
        ['/dev/kfd'],
        { 'amd-smi': JSON.stringify([amd(0, '0000:99:00.0'), amd(1, '0000:22:00.0', { vram: { size: 'N/A' } })]) },
        AMD_NODES,
      ),
      {
        gpus: [{ memoryMib: 0, lockId: '/dev/dri/renderD136' }],
        problems: [expect.stringContaining('no render node')],
      },
    ],
    [
      'AMD whose tool warns first',
      host(
        ['/dev/kfd'],
        {
          'amd-smi': `WARNING: User is missing the following required groups: render\n${JSON.stringify([amd(0, '0000:0c:00.0')])}\n`,
        },
        AMD_NODES,
      ),
      { gpus: [{ lockId: '/dev/dri/renderD128' }], problems: [] },
    ],
    [
      'AMD whose tool prints no JSON',
      host(['/dev/kfd'], { 'amd-smi': 'WARNING: no' }),
      { gpus: [], problems: ['amd-smi did not print a list of GPUs'] },
    ],
    [
      'Gaudi',
      host(['/dev/accel'], { 'hl-smi': 'HL-225, 98304, 0\nHL-225, 98304 MiB, 1\nrubbish\n' }),
      {
        gpus: [
          { vendor: 'intel', name: 'HL-225', memoryMib: 98304, lockId: '0' },
          { vendor: 'intel', name: 'HL-225', memoryMib: 98304, lockId: '1' },
        ],
        problems: [expect.stringContaining('rubbish')],
      },
    ],
    [
      'Tenstorrent: two chips of a board are one GPU',
      host(
        ['/dev/tenstorrent'],
        {
          'tt-smi': JSON.stringify({
            device_info: [
              tt('n300 L', '0000:01:00.0', '10'),
              tt('n300 L', '0000:02:00.0', '11'),
              tt('n300 R', 'N/A', '10'),
              tt('n300 R', 'N/A', '11'),
              tt('p150b', '0000:03:00.0', '12'),
              tt('x900', '0000:04:00.0', '13'),
            ],
          }),
        },
        { '/sys/module/tenstorrent/version': '1.31' },
      ),
      {
        gpus: [
          { vendor: 'tenstorrent', name: 'n300', memoryMib: 24 * 1024, lockId: '0', driverVersion: '1.31' },
          { name: 'n300', lockId: '1' },
          { name: 'p150', memoryMib: 32 * 1024, lockId: '2' },
        ],
        problems: [expect.stringContaining('x900')],
      },
    ],
  ])('%s', async (_what, probe, expected) => {
    expect(await discoverGpus(probe)).toMatchObject(expected);
  });
});

/** Names and sizes as drivers from 535 to 595 print them; devices split by MIG are listed whole. */
const MODELS = `NVIDIA A10G, 23028, GPU-0, 570.86.15
NVIDIA A100-SXM4-40GB, 40960, GPU-1, 535.129.03
NVIDIA A100-SXM4-80GB, 81920, GPU-2, 535.129.03
NVIDIA A100 80GB PCIe, 81920, GPU-3, 550.54.15
NVIDIA H100 80GB HBM3, 81559, GPU-4, 550.54.15
NVIDIA H100 PCIe, 81559, GPU-5, 550.54.15
NVIDIA L4, 23034, GPU-6, 580.95.05
Tesla T4, 15360, GPU-7, 595.91.07
NVIDIA GeForce RTX 4090, 24564, GPU-8, 550.54.14
`;

it('discovery takes names and sizes as each model’s driver prints them', async () => {
  const { gpus, problems } = await discoverGpus(host(NVIDIA, { 'nvidia-smi': MODELS }));
  expect(problems).toEqual([]);
  const printed = gpus.map(({ name, memoryMib, lockId, driverVersion }) =>
    [name, memoryMib, lockId, driverVersion].join(', '),
  );
  expect(`${printed.join('\n')}\n`).toBe(MODELS);
});

describe('measurement of GPUs', () => {
  const measured = async (probe: HostProbe) => Object.fromEntries(await measureGpus(await discoverGpus(probe), probe));

  it.each<[string, HostProbe, object]>([
    [
      'NVIDIA, one of them split by MIG',
      host(NVIDIA, {
        'nvidia-smi --query-gpu=name': 'T4, 15360, GPU-a, 1\nA100, 81920, GPU-b, 1\nT4, 15360, GPU-c, 1\n',
        'nvidia-smi --query-gpu=uuid': 'GPU-a, 1024, 37\nGPU-b, 512, [N/A]\nGPU-c, [Unknown Error], 0\n',
      }),
      {
        'GPU-a': { memoryUsageBytes: 1024 * 1024 ** 2, utilPercent: 37 },
        'GPU-b': { memoryUsageBytes: 512 * 1024 ** 2, utilPercent: 0 },
      },
    ],
    [
      'AMD by its tool, rows by the tool’s own numbers',
      host(
        ['/dev/kfd'],
        {
          'amd-smi static': JSON.stringify([amd(0, '0000:99:00.0'), amd(1, '0000:22:00.0')]),
          'amd-smi monitor':
            'WARNING: old\ngpu,gfx,gfx_clock,vram_used,vram_total\n0,5 %,132,1,196300\n1,12,132,283,196300\n2,N/A,N/A,N/A,N/A\n',
        },
        AMD_NODES,
      ),
      { '/dev/dri/renderD136': { memoryUsageBytes: 283 * 1024 ** 2, utilPercent: 12 } },
    ],
    [
      'AMD by the kernel',
      host(
        ['/dev/kfd'],
        { 'amd-smi static': JSON.stringify([amd(0, '0000:0c:00.0')]) },
        {
          ...AMD_NODES,
          '/sys/class/drm/renderD128/device/mem_info_vram_used': '1048576',
          '/sys/class/drm/renderD128/device/gpu_busy_percent': '99',
        },
      ),
      { '/dev/dri/renderD128': { memoryUsageBytes: 1048576, utilPercent: 99 } },
    ],
    [
      'Gaudi',
      host(['/dev/accel'], {
        'hl-smi --query-aip=name': 'HL-225, 98304, 0\n',
        'hl-smi --query-aip=index': '0, 768, 4 %\n',
      }),
      { '0': { memoryUsageBytes: 768 * 1024 ** 2, utilPercent: 4 } },
    ],
    ['nothing when the tool fails', host(NVIDIA, { 'nvidia-smi --query-gpu=name': 'T4, 15360, GPU-a, 1\n' }), {}],
  ])('%s', async (_what, probe, expected) => {
    expect(await measured(probe)).toEqual(expected);
  });
});
