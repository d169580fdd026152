import type { GpuFact } from '@dstack/agent-protocol';
import { GpuLock } from '../gpu/gpu-lock.js';
import { sumProcesses } from '../metrics/measure-job.js';
import { parseProcStat } from '../process/proc-table.js';
import { parseUidRange, pickUid } from './job-uids.js';
import { findDiskBySerial, googleNames, xenNames } from './volume-mount.js';

describe('uids for jobs', () => {
  it('are unique, and run out', () => {
    const range = parseUidRange('5000-5002');
    const taken = new Set<number>();
    for (const job of ['a', 'b', 'c']) taken.add(pickUid(range, taken, job) ?? NaN);
    expect([...taken].sort()).toEqual([5000, 5001, 5002]);
    expect(pickUid(range, taken, 'd')).toBeUndefined();
  });

  it.each(['0-5', 'x', '5-1', '5', '4294967295:2'])('%s is no range', (text) => {
    expect(() => parseUidRange(text)).toThrow(RangeError);
  });
});

describe('GPUs for jobs', () => {
  const gpus = ['a', 'b', 'c', 'd'].map((lockId): GpuFact => ({ vendor: 'nvidia', name: 'X', memoryMib: 1, lockId }));

  it('are held by one job at a time', () => {
    const lock = new GpuLock(gpus);
    expect(lock.acquire('1', 2)).toEqual(['a', 'b']);
    expect(lock.acquire('1', 2)).toEqual(['a', 'b']);
    expect(() => lock.acquire('2', 3)).toThrow('needs 3 GPUs; 2 of this host’s 4'.replace('’', "'"));
    lock.release('1');
    expect(lock.acquire('2', -1)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('are given to a restored job again', () => {
    const lock = new GpuLock(gpus);
    lock.restore('old', ['b', 'c']);
    expect(lock.acquire('new', 1)).toEqual(['a']);
  });
});

describe('what the kernel and lsblk print', () => {
  it('a process whose name holds what it likes', () => {
    const stat =
      '42 (a ) b (c) S 1 42 40 34816 41 4194304 100 0 0 0 7 3 2 1 20 0 1 0 987 1000 55 18446744073709551615 0';
    expect(parseProcStat(stat)).toEqual({
      pid: 42,
      parent: 1,
      group: 42,
      session: 40,
      foregroundGroup: 41,
      cpuTicks: 13,
      startTicks: 987,
      rssPages: 55,
    });
    expect(sumProcesses([parseProcStat(stat)].flatMap((entry) => entry ?? []))).toMatchObject({
      cpuUsageMicros: 130_000,
      memoryUsageBytes: 55 * 4096,
    });
  });

  const listing =
    'NAME="nvme0n1" SERIAL="vol0123" TYPE="disk" PKNAME=""\nNAME="nvme1n1" SERIAL="vol0abc" TYPE="disk" PKNAME=""\n' +
    'NAME="nvme0n1p1" SERIAL="" TYPE="part" PKNAME="nvme0n1"\n';
  it.each([
    ['vol-0abc', '/dev/nvme1n1'],
    ['vol-0123', '/dev/nvme0n1p1'],
    ['vol-9999', undefined],
  ])('the disk of %s is %s', (volumeId, expected) => {
    expect(findDiskBySerial(listing, volumeId)).toBe(expected);
  });

  it('a disk under the name Xen gives it', () => {
    expect(xenNames('/dev/sdf')).toEqual(['/dev/sdf', '/dev/xvdf']);
  });

  it('a disk under the name Google gives it', () => {
    expect(googleNames('pd-data')).toEqual(['/dev/disk/by-id/google-pd-data-part1', '/dev/disk/by-id/google-pd-data']);
  });
});
