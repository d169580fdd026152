import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const SIZE_BYTES = 96 * 1024 * 1024;

/** A directory on a file system of its own that becomes read-only, as one does whose disk has failed: every write is refused, also to open files. */
export class FailingDisk {
  private constructor(
    private readonly directory: string,
    private image: string,
  ) {}

  /** Undefined where this user may not mount. @param image the file that holds it */
  static mountAt(directory: string, image: string): FailingDisk | undefined {
    mkdirSync(directory, { recursive: true });
    const disk = new FailingDisk(directory, image);
    try {
      writeFileSync(image, '');
      truncateSync(image, SIZE_BYTES);
      execFileSync('mkfs.ext4', ['-q', image], { stdio: 'ignore' });
      disk.mount();
      return disk;
    } catch {
      return undefined;
    }
  }

  /** What was written until now stays. */
  becomeReadOnly(): void {
    const device = execFileSync('findmnt', ['-no', 'SOURCE', this.directory], { encoding: 'utf8' }).trim();
    if (!device.startsWith('/dev/loop')) throw new Error(`${this.directory} is not on a disk of its own`);
    execFileSync('sync', ['--file-system', this.directory]);
    writeFileSync(`/sys/fs/ext4/${basename(device)}/trigger_fs_error`, '1');
  }

  /** Nobody may use it meanwhile. What was on it is copied to another: somebody else's namespace may hold the one that failed. */
  repair(): void {
    execFileSync('umount', [this.directory]);
    const next = `${this.image}.next`;
    copyFileSync(this.image, next);
    rmSync(this.image);
    this.image = next;
    // Its exit code says that there was something to repair.
    spawnSync('fsck.ext4', ['-fy', this.image]);
    this.mount();
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.directory]);
  }

  private mount(): void {
    execFileSync('mount', ['-o', 'loop,errors=remount-ro', this.image, this.directory], { stdio: 'ignore' });
  }
}
