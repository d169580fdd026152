import type { GpuInventory } from '../gpu/discover-gpus.js';
import { type HostProbe, ToolFailedError } from '../gpu/host-probe.js';
import { HealthCollector } from './collect-health.js';
import { judgeDisk } from './disk-space.js';
import { HealthMonitor } from './health-monitor.js';
import { failure, type Incident, judgeHealth, warning } from './incident.js';
import { judgeXids } from './xid-log.js';

// Where the shapes come from: "Health" in the README of this package.
const DAY = 86_400;

describe('what the kernel’s log tells of NVIDIA devices', () => {
  it.each<[string, string, readonly Incident[]]>([
    [
      'nothing',
      '[    1.2] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15\n[    2.0] usb 1-1: new device\n',
      [],
    ],
    [
      'a device off the bus, told twice',
      '[ 100.5] NVRM: GPU at PCI:0000:2b:00: GPU-0b11d014\n[ 100.6] NVRM: Xid (PCI:0000:2b:00): 79, GPU has fallen off the bus.\n' +
        '[ 100.7] NVRM: GPU 0000:2b:00.0: GPU has fallen off the bus.\n',
      [failure('GPU at 0000:2b:00: the GPU has fallen off the bus (Xid 79)')],
    ],
    [
      'the same without an Xid',
      '[ 1843.308145] NVRM: The NVIDIA GPU 0000:b3:00.0\n               NVRM: (PCI ID: 10de:26b5) installed in this system has\n',
      [failure('GPU at 0000:b3:00: the GPU has fallen off the bus (Xid 79)')],
    ],
    [
      'a fatal error with the program that met it',
      "[99.1] NVRM: Xid (PCI:0000:3B:00): 48, pid='<unknown>', name=<unknown>, An uncorrectable double bit error (DBE) has been detected\n",
      [failure('GPU at 0000:3b:00: an uncorrectable memory error (Xid 48)')],
    ],
    [
      'what the driver wants done',
      'NVRM: Xid (PCI:0008:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)\n',
      [failure('GPU at 0008:01:00: its driver says "GPU Reset Required" (Xid 154)')],
    ],
    [
      'an error that was recovered from',
      'NVRM: Xid (PCI:0000:01:00): 119, Timeout after 45s of waiting for RPC response from GPU0 GSP\n' +
        'NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)\n' +
        'NVRM: Xid (PCI:0000:01:00): 154, GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)\n',
      [],
    ],
    [
      'an error before the driver was loaded anew',
      'NVRM: Xid (PCI:0000:01:00): 95, Uncontained\nNVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  570.158.01\n',
      [],
    ],
    [
      'programs’ own errors, and one that was dealt with',
      '[5.0] NVRM: Xid (PCI:0000:01:00): 31, pid=1, name=python, Ch 00000008, MMU Fault\n[6.0] NVRM: Xid (0000:01:00): 13, 0005 00000000\n' +
        '[7.0] NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked for remapping, reset gpu to activate.\n',
      [],
    ],
    [
      'NVLink errors that are fatal and not',
      'NVRM: Xid (PCI:0000:01:00): 149, NETIR_LINK_EVT Fatal XC0 i0 Link 00 (0x026001c6)\n' +
        'NVRM: Xid (PCI:0000:01:00): 149, NETIR_LINK_EVT Nonfatal XC0 i0 Link 00 (0x026001c6)\n' +
        'NVRM: Xid (PCI:0000:02:00): 144, SAW_MVB Nonfatal XC0 i0 Link 0 (0x00000001)\n',
      [
        failure('GPU at 0000:01:00: an NVLink error (Xid 149)'),
        warning("GPU at 0000:02:00: Xid 144 in the kernel's log"),
      ],
    ],
    [
      'another error of today, and one of days ago',
      `[${9 * DAY}.0] NVRM: Xid (PCI:0000:01:00): 109, pid=7\n[5.0] NVRM: Xid (PCI:0000:02:00): 109, pid=7\n`,
      [warning('GPU at 0000:01:00: Xid 109 in the kernel’s log'.replace('’', "'"))],
    ],
  ])('%s', (_what, log, expected) => {
    expect(judgeXids(log, 9 * DAY + 60)).toEqual(expected);
  });
});

type Tools = Readonly<Record<string, string | Error>>;

function probe(tools: Tools, files: Readonly<Record<string, string>> = {}): HostProbe {
  return {
    exists: (path) => path === '/dev/nvidiactl',
    readText: (path) => files[path],
    realPath: () => undefined,
    run: async (file, args) => {
      const line = [file, ...args].join(' ');
      const said = Object.entries(tools).find(([start]) => line.startsWith(start))?.[1];
      if (said === undefined) throw new ToolFailedError(`spawn ${file} ENOENT`, '');
      if (typeof said === 'string') return said;
      throw said;
    },
  };
}

const NVIDIA: GpuInventory = {
  vendor: 'nvidia',
  gpus: ['GPU-a', 'GPU-b'].map((lockId) => ({ vendor: 'nvidia', name: 'NVIDIA A100', memoryMib: 81920, lockId })),
  lockIdByToolIndex: new Map(),
  problems: [],
};
const AMD: GpuInventory = {
  vendor: 'amd',
  gpus: [{ vendor: 'amd', name: 'AMD Instinct MI300X', memoryMib: 196592, lockId: '/dev/dri/renderD128' }],
  lockIdByToolIndex: new Map(),
  problems: [],
};
const LIST = 'NVIDIA A100, 81920, GPU-a, 550\nNVIDIA A100, 81920, GPU-b, 550\n';
const WELL: Tools = {
  'nvidia-smi --query-gpu=name': LIST,
  'nvidia-smi --query-gpu=index,uuid': '0, GPU-a, 5, 0, [N/A], [N/A]\n1, GPU-b, [N/A], 0, [N/A], [N/A]\n',
  'nvidia-smi --query-remapped-rows': 'GPU-a, 0, 0\nGPU-b, 0, 0\n',
  dmesg: '',
};
/** The tree that dcgmi prints, by its source: the words of a device, then of its systems. */
const DCGM = JSON.stringify({
  body: {
    'Overall Health': { value: 'Failure' },
    GPU: {
      children: {
        '3': {
          value: 'Failure',
          children: {
            Errors: {
              children: {
                'Memory system': {
                  value: 'Warning',
                  overflow: ['GPU 3 had memory errors and row', 'remappings are pending'],
                },
                Driver: { value: 'Failure', overflow: ['GPU 3 requires a reset.'] },
                'PCIe system': { value: 'Healthy' },
              },
            },
          },
        },
      },
    },
  },
  header: ['Health Monitor Report'],
});

async function collect(inventory: GpuInventory, tools: Tools, files: Readonly<Record<string, string>> = {}) {
  const collector = new HealthCollector({
    inventory,
    probe: probe(tools, files),
    disks: async () => [],
    engine: async () => ({ available: false, detail: 'none' }),
    uptimeSeconds: () => 100,
  });
  return judgeHealth(await collector.collect());
}

describe('the health of a host', () => {
  it.each<[string, GpuInventory, Tools, 'healthy' | 'warning' | 'failure', readonly string[]]>([
    ['NVIDIA, all well', NVIDIA, WELL, 'healthy', []],
    ['NVIDIA, a tool that knows none of the fields', NVIDIA, { 'nvidia-smi --query-gpu=name': LIST }, 'healthy', []],
    [
      'NVIDIA, an uncorrectable error and rows to be replaced',
      NVIDIA,
      {
        ...WELL,
        'nvidia-smi --query-gpu=index,uuid': '0, GPU-a, 5, 0, [N/A], [N/A]\n1, GPU-b, 5, 2, [N/A], [N/A]\n',
        'nvidia-smi --query-remapped-rows': 'GPU-a, 1, 0\nGPU-b, 0, 0\n',
      },
      'failure',
      [
        'GPU 1: 2 uncorrectable memory errors since its driver was loaded; reset the GPU',
        'GPU 0: faulty rows of memory wait for a reset of the GPU to be replaced',
      ],
    ],
    [
      'NVIDIA, a row that could not be replaced',
      NVIDIA,
      { ...WELL, 'nvidia-smi --query-remapped-rows': 'GPU-a, No, No\nGPU-b, Yes, Yes\n' },
      'failure',
      ['GPU 1: a faulty row of memory could not be replaced; replace the GPU'],
    ],
    [
      'NVIDIA, retired pages of an older device',
      NVIDIA,
      { ...WELL, 'nvidia-smi --query-gpu=index,uuid': '0, GPU-a, 5, 0, 3, Yes\n1, GPU-b, 5, 0, 64, No\n' },
      'failure',
      [
        'GPU 1: 64 memory pages are retired; replace it',
        'GPU 0: memory pages wait for a reset of the GPU to be retired',
      ],
    ],
    [
      'NVIDIA, a device that has to be reset, without ECC',
      NVIDIA,
      {
        ...WELL,
        'nvidia-smi --query-gpu=index,uuid':
          '0, GPU-a, [GPU requires reset], [N/A], [N/A], [N/A]\n1, GPU-b, 0, [N/A], [N/A], [N/A]\n',
      },
      'failure',
      ['GPU 0 has to be reset'],
    ],
    [
      'NVIDIA, devices that their driver wants recovered',
      NVIDIA,
      {
        ...WELL,
        'nvidia-smi --query-gpu=index,gpu_recovery_action': '0, Drain and Reset\n1, [N/A]\n2, None\n3, Reboot\n',
      },
      'failure',
      ['GPU 0: its driver wants it recovered: Drain and Reset', 'GPU 3: its driver wants it recovered: Reboot'],
    ],
    [
      'NVIDIA, a device gone',
      NVIDIA,
      { ...WELL, 'nvidia-smi --query-gpu=name': 'NVIDIA A100, 81920, GPU-a, 550\n' },
      'failure',
      ['GPU 1 (GPU-b) does not answer any more'],
    ],
    [
      'NVIDIA, the driver gone',
      NVIDIA,
      {
        'nvidia-smi': new ToolFailedError(
          "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\nMake sure that it is installed.",
          '',
        ),
      },
      'failure',
      [
        "the NVIDIA driver does not answer: NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
      ],
    ],
    [
      'NVIDIA, as DCGM sees it',
      NVIDIA,
      { ...WELL, 'dcgmi health -c': DCGM },
      'failure',
      [
        'GPU 3: Driver: GPU 3 requires a reset. (DCGM)',
        'GPU 3: Memory system: GPU 3 had memory errors and row remappings are pending (DCGM)',
      ],
    ],
    [
      'NVIDIA, DCGM without its engine',
      NVIDIA,
      {
        ...WELL,
        dcgmi: new ToolFailedError('', 'Error: unable to establish a connection to the specified host: localhost'),
      },
      'healthy',
      [],
    ],
    [
      'devices whose tool failed at start',
      { vendor: 'nvidia', gpus: [], lockIdByToolIndex: new Map(), problems: ['the host has nvidia devices, but …'] },
      {},
      'failure',
      ['the host has nvidia devices, but …'],
    ],
    [
      'AMD as ROCm 7 prints it',
      AMD,
      {
        'amd-smi metric': JSON.stringify({
          gpu_data: [
            { gpu: 0, ecc: { total_correctable_count: 5, total_uncorrectable_count: 1 } },
            { gpu: 1, ecc: { total_uncorrectable_count: 'N/A' } },
          ],
        }),
      },
      'failure',
      ['GPU 0: 1 uncorrectable memory errors since its driver was loaded; reset the GPU'],
    ],
    [
      'AMD as ROCm 6 prints it',
      AMD,
      { 'amd-smi metric': '[{"gpu":0,"ecc":{"total_uncorrectable_count":0}}]' },
      'healthy',
      [],
    ],
  ])('%s', async (_what, inventory, tools, status, incidents) => {
    expect(await collect(inventory, tools)).toMatchObject({ status, incidents });
  });

  it.each([
    ['0x027f5d43 : 0x00001000 : R\n', 'healthy'],
    ['0x027f5d43 : 0x00001000 : R\n0x027f5d4b : 0x00001000 : P\n', 'warning'],
    ['0x027f5d43 : 0x00001000 : F\n', 'failure'],
  ])('AMD with bad pages %j is %s', async (text, status) => {
    const files = { '/sys/class/drm/renderD128/device/ras/gpu_vram_bad_pages': text };
    expect(await collect(AMD, {}, files)).toMatchObject({ status });
  });

  it('enables DCGM’s watches when nobody has', async () => {
    const asked: string[] = [];
    let enabled = false;
    const base = probe(WELL);
    const collector = new HealthCollector({
      inventory: NVIDIA,
      probe: {
        ...base,
        run: async (file, args, timeoutMs) => {
          if (file !== 'dcgmi') return base.run(file, args, timeoutMs);
          asked.push(args.join(' '));
          if (args.includes('-s')) enabled = true;
          if (args.includes('-c') && !enabled)
            throw new ToolFailedError('', 'Error: Health watches not enabled. Please enable watches. \n');
          return enabled && args.includes('-c') ? DCGM : '';
        },
      },
      disks: async () => [],
      engine: async () => ({ available: true, detail: '' }),
      uptimeSeconds: () => 1,
    });
    expect(judgeHealth(await collector.collect()).status).toBe('failure');
    expect(asked).toEqual(['health -c -j', 'health -s a', 'health -c -j']);
  });

  it('is a little less without the engine it had', async () => {
    let available = false;
    const collector = new HealthCollector({
      inventory: { vendor: undefined, gpus: [], lockIdByToolIndex: new Map(), problems: [] },
      probe: probe({}),
      disks: async () => [],
      engine: async () => ({ available, detail: 'connection refused' }),
      uptimeSeconds: () => 1,
    });
    expect(await collector.collect()).toEqual([]);
    available = true;
    expect(await collector.collect()).toEqual([]);
    available = false;
    expect(await collector.collect()).toEqual([warning('containers cannot be run any more: connection refused')]);
  });

  it.each([
    [100, 4.9, ['the disk of /d is nearly full: 4.9 GiB of 100.0 GiB are free']],
    [100, 5, []],
    [4000, 19, ['the disk of /d is nearly full: 19.0 GiB of 4000.0 GiB are free']],
    [4000, 21, []],
    [10, 0.9, ['the disk of /d is nearly full: 0.9 GiB of 10.0 GiB are free']],
    [0, 0, []],
  ])('a disk of %d GiB with %d free', (total, free, texts) => {
    expect(judgeDisk('/d', free * 1024 ** 3, total * 1024 ** 3).map(({ text }) => text)).toEqual(texts);
  });

  it('is looked at once a minute', async () => {
    let now = 1_000_000;
    let looks = 0;
    const monitor = new HealthMonitor(
      async () => {
        looks++;
        return looks === 1 ? [] : [warning('x')];
      },
      () => now,
    );
    expect(await Promise.all([monitor.current(), monitor.current()])).toEqual([
      { status: 'healthy', incidents: [] },
      { status: 'healthy', incidents: [] },
    ]);
    now += 59_999;
    await monitor.current();
    expect(looks).toBe(1);
    now += 1;
    expect(await monitor.current()).toEqual({ status: 'warning', incidents: ['x'], incidentStatuses: ['warning'] });
  });
});
