import { chmod, mkdir, open, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Mount } from '@dstack/agent-protocol';
import { CommandFailedError, runCommand } from '../process/run-command.js';

type VolumeMount = Extract<Mount, { kind: 'volume' }>;

const MOUNT_ROOT = '/mnt/disks/dstack-volumes';
const DEVICE_WAIT_MS = 30_000;
const DEVICE_POLL_MS = 500;
const BLANK_PROBES = 3;
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C' };

const run = (file: string, ...args: string[]): Promise<string> =>
  runCommand(file, args, { cwd: '/', env: ENVIRONMENT });

/** Mounts an attached disk, formatting it only when it is ours and blank. Gives its mount point. */
export async function attachVolume(volume: VolumeMount): Promise<string> {
  const mountPoint = join(MOUNT_ROOT, basename(volume.name));
  if (await isMountPoint(mountPoint)) return mountPoint;
  const device = await waitForDevice(volume);
  const formatted = await ensureFilesystem(device, volume);
  await mkdir(mountPoint, { recursive: true });
  await run('mount', device, mountPoint);
  if (formatted) await chmod(mountPoint, 0o777);
  return mountPoint;
}

export async function detachVolume(mountPoint: string): Promise<void> {
  if (!(await isMountPoint(mountPoint))) return;
  await run('umount', '-qf', mountPoint).catch(() => run('umount', '-l', mountPoint));
}

async function waitForDevice(volume: VolumeMount): Promise<string> {
  const due = Date.now() + DEVICE_WAIT_MS;
  for (;;) {
    const device = await findDevice(volume);
    if (device !== undefined && (await hasSize(device))) return device;
    if (Date.now() > due)
      throw new Error(`the disk of volume ${volume.name} (${volume.volumeId}) is not attached to this host`);
    await delay(DEVICE_POLL_MS);
  }
}

async function findDevice(volume: VolumeMount): Promise<string | undefined> {
  if (volume.backend === 'gcp') {
    const byId = `/dev/disk/by-id/google-${volume.deviceName ?? volume.name}`;
    return firstExisting([`${byId}-part1`, byId]);
  }
  if (volume.backend === 'aws') {
    const listing = await run('lsblk', '--noheadings', '--pairs', '--output', 'NAME,SERIAL,TYPE,PKNAME');
    const disk = findDiskBySerial(listing, volume.volumeId);
    return disk ?? (volume.deviceName === undefined ? undefined : firstExisting(xenNames(volume.deviceName)));
  }
  return volume.deviceName === undefined ? undefined : firstExisting([volume.deviceName]);
}

/** Path of the disk with that serial (AWS writes the volume's id without its dash), or of its first partition. */
export function findDiskBySerial(listing: string, volumeId: string): string | undefined {
  const rows = listing
    .split('\n')
    .map((line) => new Map([...line.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1] ?? '', match[2] ?? ''])));
  const serial = volumeId.replace('-', '');
  const disk = rows.find((row) => row.get('SERIAL')?.replace('-', '') === serial)?.get('NAME');
  if (disk === undefined) return undefined;
  const partition = rows.find((row) => row.get('TYPE') === 'part' && row.get('PKNAME') === disk)?.get('NAME');
  return `/dev/${partition ?? disk}`;
}

/** What is asked for as `sdf` appears as `xvdf` on Xen hosts. */
export function xenNames(deviceName: string): string[] {
  return [deviceName, deviceName.replace(/^\/dev\/sd/, '/dev/xvd')];
}

async function firstExisting(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const real = await realpath(path).catch(() => undefined);
    if (real !== undefined) return real;
  }
  return undefined;
}

async function hasSize(device: string): Promise<boolean> {
  const file = await open(device, 'r').catch(() => undefined);
  if (file === undefined) return false;
  try {
    return (await file.read(Buffer.alloc(1), 0, 1, 0)).bytesRead === 1;
  } finally {
    await file.close();
  }
}

/** True when it formatted. A disk is called blank only after several looks: formatting cannot be taken back. */
async function ensureFilesystem(device: string, volume: VolumeMount): Promise<boolean> {
  for (let probe = 0; probe < BLANK_PROBES; probe++) {
    const found = await probeSignature(device);
    if (found !== undefined) {
      if (!found.includes('USAGE=filesystem'))
        throw new Error(`${device} holds something that is not a file system: ${found.trim()}`);
      return false;
    }
    await delay(1000);
  }
  if (!volume.initFs) throw new Error(`volume ${volume.name} is blank, and dstack did not create it: format it first`);
  await run('mkfs.ext4', '-F', device);
  return true;
}

async function probeSignature(device: string): Promise<string | undefined> {
  try {
    return await run('blkid', '-p', '-o', 'export', device);
  } catch (error) {
    if (error instanceof CommandFailedError && error.message.includes('exited with 2')) return undefined;
    throw error;
  }
}

async function isMountPoint(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/mounts', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[1] === path);
}
