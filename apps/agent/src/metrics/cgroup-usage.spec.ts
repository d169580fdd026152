import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCgroupUsage } from './cgroup-usage.js';

/** As the kernel prints them in a container: Linux 6 with version 2, and Linux 5 with version 1 mounts. */
const VERSION_2 = {
  'cpu.stat':
    'usage_usec 1532417\nuser_usec 1109022\nsystem_usec 423395\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\n',
  'memory.current': '52428800\n',
  'memory.stat': 'anon 31457280\nfile 20971520\ninactive_anon 31457280\nactive_anon 0\ninactive_file 12582912\n',
};
const VERSION_1 = {
  'cpuacct/cpuacct.usage': '1532417999\n',
  'memory/memory.usage_in_bytes': '52428800\n',
  'memory/memory.stat': 'cache 20971520\ninactive_file 4096\ntotal_cache 20971520\ntotal_inactive_file 12582912\n',
};
const expected = { cpuUsageMicros: 1_532_417, memoryUsageBytes: 52_428_800, memoryWorkingSetBytes: 39_845_888 };

describe('usage of a container', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'cgroup-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  it.each<[string, Readonly<Record<string, string>>, object | undefined]>([
    ['version 2', VERSION_2, expected],
    ['version 1', VERSION_1, expected],
    ['version 1, beside a version 2 that controls nothing', { ...VERSION_1, 'unified/cpu.stat': 'x' }, expected],
    ['neither', { 'cgroup.procs': '1\n' }, undefined],
    [
      'more cache than the kernel has counted yet',
      { ...VERSION_2, 'memory.current': '4096\n' },
      { ...expected, memoryUsageBytes: 4096, memoryWorkingSetBytes: 0 },
    ],
  ])('control groups of %s', async (_version, files, usage) => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), content);
    }
    const version2 = await readCgroupUsage({ version: 2, dir: root });
    const version1 = { version: 1 as const, cpu: `${root}/cpu`, cpuacct: `${root}/cpuacct`, memory: `${root}/memory` };
    expect(version2 ?? (await readCgroupUsage(version1))).toEqual(usage);
  });
});
