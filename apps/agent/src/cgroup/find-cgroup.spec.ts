import { findCgroup } from './find-cgroup.js';
import { limitWrites } from './cgroup-limits.js';

const mount = (point: string, type: string, options: string, root = '/'): string =>
  `32 31 0:29 ${root} ${point} rw,relatime shared:9 - ${type} ${type} rw,${options}`;
const SEPARATE = ['cpu', 'cpuacct', 'memory', 'pids'].map((name) => mount(`/sys/fs/cgroup/${name}`, 'cgroup', name));

describe('where groups for jobs are made', () => {
  it.each<[string, readonly string[], string, object | undefined]>([
    [
      'version 2',
      [mount('/sys/fs/cgroup', 'cgroup2', 'nsdelegate')],
      '0::/system.slice/dstack-agent.service\n',
      { version: 2, dir: '/sys/fs/cgroup' },
    ],
    [
      'version 1, below our own group',
      [...SEPARATE, mount('/sys/fs/cgroup/unified', 'cgroup2', 'relatime')],
      '4:memory:/outer/ours\n2:cpuacct:/\n1:cpu:/\n0::/\n',
      {
        version: 1,
        cpu: '/sys/fs/cgroup/cpu',
        cpuacct: '/sys/fs/cgroup/cpuacct',
        memory: '/sys/fs/cgroup/memory/outer/ours',
      },
    ],
    [
      'version 1 with controllers in one hierarchy, in a container',
      [
        mount('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'cpu,cpuacct', '/docker/abc'),
        mount('/sys/fs/cgroup/memory', 'cgroup', 'memory', '/docker/abc'),
      ],
      '3:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc/x\n',
      {
        version: 1,
        cpu: '/sys/fs/cgroup/cpu,cpuacct/x',
        cpuacct: '/sys/fs/cgroup/cpu,cpuacct/x',
        memory: '/sys/fs/cgroup/memory',
      },
    ],
    ['a version 1 without memory', SEPARATE.slice(0, 2), '0::/\n', undefined],
    ['nothing mounted', ['25 1 8:1 / / rw - ext4 /dev/sda1 rw'], '', undefined],
  ])('%s', (_what, lines, own, expected) => {
    expect(findCgroup(`${lines.join('\n')}\n`, own)).toEqual(expected);
  });
});

describe('what a share is written as', () => {
  it.each([
    [
      'version 2',
      { version: 2 as const, dir: '/c' },
      [
        ['/c/cpu.max', '150000 100000'],
        ['/c/memory.max', '1048576'],
        ['/c/memory.swap.max', '0'],
      ],
    ],
    [
      'version 1',
      { version: 1 as const, cpu: '/c', cpuacct: '/a', memory: '/m' },
      [
        ['/c/cpu.cfs_period_us', '100000'],
        ['/c/cpu.cfs_quota_us', '150000'],
        ['/m/memory.limit_in_bytes', '1048576'],
        ['/m/memory.memsw.limit_in_bytes', '1048576'],
      ],
    ],
  ])('%s', (_version, cgroup, expected) => {
    const writes = limitWrites(cgroup, { cpus: 1.5, memoryBytes: 1024 ** 2 });
    expect(writes.map(({ path, value }) => [path, value])).toEqual(expected);
    expect(limitWrites(cgroup, {})).toEqual([]);
  });

  it('is never less than the kernel takes', () => {
    expect(limitWrites({ version: 2, dir: '/c' }, { cpus: 0.001 })[0]?.value).toBe('1000 100000');
  });
});
