import { realpathSync } from 'node:fs';
import { errorCode } from '../error-code.js';

const SLASH = 0x2f;

/** The absolute path of a file whose last part need not exist yet. */
export function realPath(path: Buffer): Buffer {
  const asked = path.length === 0 ? Buffer.from('.') : path;
  try {
    return realpathSync.native(asked, 'buffer');
  } catch (error) {
    const cut = asked.lastIndexOf(SLASH);
    const last = asked.subarray(cut + 1);
    const isName = last.length > 0 && last.toString() !== '.' && last.toString() !== '..';
    if (errorCode(error) !== 'ENOENT' || !isName) throw error;
    const parent = cut < 0 ? Buffer.from('.') : cut === 0 ? Buffer.from('/') : asked.subarray(0, cut);
    const real = realpathSync.native(parent, 'buffer');
    return Buffer.concat([real, ...(real.length === 1 ? [] : [Buffer.from('/')]), last]);
  }
}

/** `~` and `~/…` of the job's user; `~other` is not ours to know in every image. */
export function expandPath(path: Buffer, home: string): Buffer {
  const text = path.toString('latin1');
  if (text !== '~' && !text.startsWith('~/')) return realPath(path);
  return realPath(Buffer.concat([Buffer.from(home), path.subarray(1)]));
}
