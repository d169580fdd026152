import { GpuLock, NotEnoughGpusError } from './gpu-lock.js';
import { pickGpus } from './pick-gpus.js';

const EIGHT = ['0', '1', '2', '3', '4', '5', '6', '7'];

describe('which devices a job gets', () => {
  it.each<[string, string[], number, string[] | undefined]>([
    ['none', EIGHT, 0, []],
    ['all', EIGHT, 8, EIGHT],
    ['a group of four, not across two', ['2', '3', '4', '5', '6', '7'], 4, ['4', '5', '6', '7']],
    ['a pair that shares a group', ['1', '2', '3'], 2, ['2', '3']],
    ['the tightest gap, to leave large ones', ['0', '1', '2', '3', '4', '6'], 1, ['6']],
    ['neighbours across groups when there are no others', ['3', '4', '7'], 2, ['3', '4']],
    ['scattered ones when there is no other way', ['0', '2', '5'], 2, ['0', '2']],
    ['nothing when there are too few', ['0', '2'], 3, undefined],
  ])('%s', (_rule, free, count, expected) => {
    expect(pickGpus(EIGHT, new Set(free), count)).toEqual(expected);
  });
});

describe('the lock', () => {
  const make = () => new GpuLock(['a', 'b'].map((lockId) => ({ vendor: 'nvidia', name: 'T4', memoryMib: 1, lockId })));

  it('gives each device to one job, and again when it is released', () => {
    const lock = make();
    expect(lock.acquire('one', 1)).toEqual(['a']);
    expect(lock.acquire('two', 1)).toEqual(['b']);
    expect(() => lock.acquire('three', 1)).toThrow(NotEnoughGpusError);
    lock.release('one');
    expect(lock.acquire('three', 1)).toEqual(['a']);
  });

  it('gives a job that asks again what it has', () => {
    const lock = make();
    expect(lock.acquire('one', 1)).toEqual(lock.acquire('one', 1));
  });

  it('keeps what a job of an earlier agent holds', () => {
    const lock = make();
    lock.restore('old', ['a']);
    expect(lock.acquire('new', 1)).toEqual(['b']);
    expect(() => lock.acquire('greedy', -1)).toThrow('0 of this host');
  });

  it('takes all for -1, and none where there are none', () => {
    expect(make().acquire('one', -1)).toEqual(['a', 'b']);
    expect(new GpuLock([]).acquire('one', -1)).toEqual([]);
  });
});
