import { discoverGpus, type GpuInventory } from '../../src/gpu/discover-gpus.js';
import type { HostProbe } from '../../src/gpu/host-probe.js';
import { measureGpus } from '../../src/gpu/measure-gpus.js';
import { HealthCollector } from '../../src/health/collect-health.js';
import { judgeHealth } from '../../src/health/incident.js';
import { type RecordedHost, recordedHost } from '../support/recorded-host.js';

// Where each file comes from, and what of it is verbatim: README.md of this folder.
const NVIDIA = ['/dev/nvidiactl'];
const MIB = 1024 ** 2;

const nvidia = (name: string): RecordedHost => recordedHost(`nvidia/${name}`, NVIDIA);
const amd = (name: string, bdf: string): RecordedHost =>
  recordedHost(`amd/${name}`, ['/dev/kfd'], { [`/dev/dri/by-path/pci-${bdf}-render`]: '/dev/dri/renderD128' });

async function health(probe: HostProbe, inventory: GpuInventory) {
  const collector = new HealthCollector({
    inventory,
    probe,
    disks: async () => [],
    engine: async () => ({ available: false, detail: 'none' }),
    uptimeSeconds: () => 2000,
  });
  return judgeHealth(await collector.collect());
}

describe('one device as its driver tells of it', () => {
  it.each<[string, string, number, string, number, number]>([
    ['h100-590.48.01', 'NVIDIA H100 80GB HBM3', 81559, '590.48.01', 19818, 100],
    ['h100-mig-590.48.01', 'NVIDIA H100 80GB HBM3', 81559, '590.48.01', 11125, 0],
    ['h200-590.48.01', 'NVIDIA H200', 143771, '590.48.01', 32362, 100],
    ['l40s-595.80', 'NVIDIA L40S', 46068, '595.80', 1235, 9],
    ['rtx-4080-super-595.71.05', 'NVIDIA GeForce RTX 4080 SUPER', 16376, '595.71.05', 1474, 7],
    [
      'rtx-pro-6000-max-q-590.44.01',
      'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
      97887,
      '590.44.01',
      65720,
      0,
    ],
    ['a100-80gb-mig-535.54.03', 'NVIDIA A100-SXM4-80GB', 81920, '535.54.03', 50, 0],
    ['a100-40gb-mig-510.47.03', 'NVIDIA A100-SXM4-40GB', 40960, '510.47.03', 38, 0],
    ['t4-515.105.01', 'Tesla T4', 15360, '515.105.01', 1032, 0],
  ])('%s', async (file, name, memoryMib, driverVersion, usedMib, utilPercent) => {
    const probe = nvidia(file);
    const inventory = await discoverGpus(probe);
    expect(inventory).toMatchObject({ vendor: 'nvidia', problems: [], gpus: [{ name, memoryMib, driverVersion }] });
    expect([...(await measureGpus(inventory, probe))]).toEqual([
      [inventory.gpus[0]?.lockId, { memoryUsageBytes: usedMib * MIB, utilPercent }],
    ]);
    expect(await health(probe, inventory)).toEqual({ status: 'healthy', incidents: [] });
    expect(probe.unasked()).toEqual([]);
  });
});

describe('NVIDIA', () => {
  it('devices of an old driver have no maker before their name', async () => {
    const { gpus, problems } = await discoverGpus(nvidia('rtx-2080-440.64'));
    expect(problems).toEqual([]);
    expect(gpus).toMatchObject([{ name: 'GeForce RTX 2080', memoryMib: 7979, driverVersion: '440.64' }]);
  });

  it('units do no harm', async () => {
    const probe = nvidia('v100-with-units-418.126.02');
    const inventory = await discoverGpus(probe);
    expect(inventory.problems).toEqual([]);
    expect(inventory.gpus.map(({ memoryMib }) => memoryMib)).toEqual([32480, 32480, 32480, 32480, 32480, 32480]);
    const usage = await measureGpus(inventory, probe);
    expect(inventory.gpus.map(({ lockId }) => usage.get(lockId)?.memoryUsageBytes)).toEqual(Array(6).fill(13 * MIB));
  });

  it('a device that shares the memory of its host still tells how busy it is', async () => {
    const probe = nvidia('gb10-580.95.05');
    const inventory = await discoverGpus(probe);
    expect(inventory).toMatchObject({ gpus: [{ name: 'NVIDIA GB10', memoryMib: 0 }], problems: [] });
    expect([...(await measureGpus(inventory, probe)).values()]).toEqual([{ memoryUsageBytes: 0, utilPercent: 0 }]);
  });

  it.each([
    [
      'driver-mismatch-535.161',
      'Failed to initialize NVML: Driver/library version mismatch; NVML library version: 535.161',
    ],
    [
      'driver-not-loaded',
      "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
    ],
    ['device-lost-560', 'Unable to determine the device handle for GPU0000:17:00.0: Unknown Error'],
  ])('%s is told in one line, and the host gets no jobs', async (file, said) => {
    const probe = nvidia(file);
    const inventory = await discoverGpus(probe);
    const problem = `the host has nvidia devices, but their tool failed: ${said}`;
    expect(inventory).toMatchObject({ gpus: [], problems: [problem] });
    expect(await health(probe, inventory)).toMatchObject({ status: 'failure', incidents: [problem] });
  });

  const known: GpuInventory = {
    vendor: 'nvidia',
    gpus: [{ vendor: 'nvidia', name: 'NVIDIA B200', memoryMib: 183359, lockId: 'GPU-a' }],
    lockIdByToolIndex: new Map(),
    problems: [],
  };

  it.each<[string, 'warning' | 'failure', readonly string[]]>([
    ['reset-wanted', 'failure', ['GPU 1: its driver wants it recovered: Reset']],
    ['dmesg-off-the-bus-570.158.01', 'failure', ['GPU at 0000:b3:00: the GPU has fallen off the bus (Xid 79)']],
    ['dmesg-gsp-reset', 'failure', ['GPU at 0000:0b:00: its driver says "GPU Reset Required" (Xid 154)']],
    [
      'dmesg-nvlink',
      'failure',
      ['GPU at 0019:01:00: an NVLink error (Xid 149)', "GPU at 0018:01:00: Xid 145 in the kernel's log"],
    ],
  ])('%s', async (file, status, incidents) => {
    const probe = nvidia(file);
    const { incidents: told, ...rest } = await health(probe, known);
    expect(told.filter((text) => !text.startsWith('the NVIDIA driver does not answer'))).toEqual(incidents);
    expect(rest).toMatchObject({ status });
    expect(probe.unasked()).toEqual([]);
  });
});

describe('AMD', () => {
  it.each<[string, string, string, number, string | undefined]>([
    ['mi300x-bare-list', '0000:05:00.0', 'MI300X-O', 196592, undefined],
    ['mi210-in-tree-driver', '0000:23:00.0', 'AMD Instinct MI210', 65520, '6.14.0-24-generic'],
    ['rx-7800-xt-with-warnings', '0000:03:00.0', 'AMD Radeon RX 7800 XT', 16368, undefined],
  ])('%s', async (file, bdf, name, memoryMib, driverVersion) => {
    const { gpus, problems } = await discoverGpus(amd(file, bdf));
    expect(problems).toEqual([]);
    const driver = driverVersion === undefined ? {} : { driverVersion };
    expect(gpus).toEqual([{ vendor: 'amd', name, memoryMib, lockId: '/dev/dri/renderD128', ...driver }]);
  });

  it.each(['mi300x-usage-rocm-6.3.1', 'mi300x-usage-rocm-6.4.0'])('%s', async (file) => {
    const inventory = await discoverGpus(amd('mi300x-bare-list', '0000:05:00.0'));
    const usage = await measureGpus(inventory, amd(file, '0000:05:00.0'));
    expect([...usage]).toEqual([['/dev/dri/renderD128', { memoryUsageBytes: 283 * MIB, utilPercent: 10 }]]);
  });
});

it('a Tenstorrent board is known without its revision', async () => {
  const { gpus, problems } = await discoverGpus(recordedHost('tenstorrent/p150b', ['/dev/tenstorrent']));
  expect(problems).toEqual([]);
  expect(gpus).toMatchObject([{ name: 'p150', memoryMib: 32 * 1024, lockId: '0' }]);
});
