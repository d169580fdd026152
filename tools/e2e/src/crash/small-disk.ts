import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const SIZE_MIB = 160;
const CHUNK = Buffer.alloc(64 * 1024);

/** A directory on a disk of its own that can be filled to the last byte. */
export class SmallDisk {
  private constructor(private readonly directory: string) {}

  /** Undefined where this user may not mount. */
  static mountAt(directory: string): SmallDisk | undefined {
    mkdirSync(directory, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m,mode=755`, 'tmpfs', directory], {
        stdio: 'ignore',
      });
      return new SmallDisk(directory);
    } catch {
      return undefined;
    }
  }

  fill(): void {
    const file = openSync(join(this.directory, 'ballast'), 'w');
    try {
      for (let chunk = CHUNK; chunk.length > 0;) {
        try {
          writeSync(file, chunk);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          chunk = chunk.subarray(0, Math.floor(chunk.length / 2));
        }
      }
    } finally {
      closeSync(file);
    }
  }

  free(): void {
    rmSync(join(this.directory, 'ballast'), { force: true });
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.directory]);
  }
}
