import { execFile } from 'node:child_process';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestHost } from '@dstack/test-hosts';
import type { CloudMachines } from './cloud-machines.js';

const run = promisify(execFile);
const LOOP_MAJOR = 7;

interface Disk {
  readonly id: string;
  readonly sizeGb: number;
}

/**
 * The volumes of a cloud are files of this machine, which come to its hosts as block devices. They have no serial number, so the agent finds
 * them by the name that they get on machines without NVMe: what was asked for as `sdf` is `xvdf`.
 */
export class MachineDisks {
  private readonly loops = new Map<string, string>();
  private directory: string | null = null;

  constructor(private readonly machines: CloudMachines) {}

  async plug(disk: Disk, instance: { readonly id: string }, device: string): Promise<void> {
    const file = await this.fileOf(disk);
    const { stdout } = await run('losetup', ['--find', '--show', file]);
    const loop = stdout.trim();
    this.loops.set(disk.id, loop);
    const minor = loop.replace('/dev/loop', '');
    await this.host(instance.id).run(`mknod ${guestName(device)} b ${LOOP_MAJOR} ${minor}`);
  }

  /** Rejects while the host has it mounted, unless it is forced. */
  async unplug(disk: Disk, instance: { readonly id: string }, force: boolean): Promise<void> {
    const host = this.machines.hostOf(instance.id);
    const loop = this.loops.get(disk.id);
    if (loop === undefined) return;
    if (host !== undefined && !force) {
      const mounts = await host.run('cat /proc/mounts');
      if (mounts.includes('/mnt/disks/dstack-volumes/')) throw new Error('the disk is mounted');
    }
    await run('losetup', ['--detach', loop]);
    this.loops.delete(disk.id);
    await host?.run(`find /dev -maxdepth 1 -name 'xvd*' -delete`);
  }

  async close(): Promise<void> {
    for (const loop of this.loops.values()) await run('losetup', ['--detach', loop]).catch(() => undefined);
    if (this.directory !== null) await rm(this.directory, { recursive: true, force: true });
  }

  private async fileOf({ id, sizeGb }: Disk): Promise<string> {
    this.directory ??= await mkdtemp(join(tmpdir(), 'dstack-disks-'));
    const file = join(this.directory, id);
    await writeFile(file, '', { flag: 'a' });
    await truncate(file, sizeGb * 1024 ** 3);
    return file;
  }

  private host(id: string): TestHost {
    const host = this.machines.hostOf(id);
    if (host === undefined) throw new Error(`no machine ${id}`);
    return host;
  }
}

function guestName(device: string): string {
  return device.replace('/dev/sd', '/dev/xvd');
}
