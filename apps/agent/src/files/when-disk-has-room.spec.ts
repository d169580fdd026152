import { whenDiskHasRoom } from './when-disk-has-room.js';

const failure = (code: string): Error => Object.assign(new Error(code), { code });

describe('work that needs room on the disk', () => {
  it.each(['ENOSPC', 'EDQUOT'])('is tried again after %s', async (code) => {
    let tries = 0;
    const work = (): Promise<string> => (++tries < 3 ? Promise.reject(failure(code)) : Promise.resolve('done'));
    await expect(whenDiskHasRoom(work, 0)).resolves.toBe('done');
    expect(tries).toBe(3);
  });

  it('fails at once for any other reason', async () => {
    await expect(whenDiskHasRoom(() => Promise.reject(failure('EROFS')), 0)).rejects.toThrow('EROFS');
  });
});
