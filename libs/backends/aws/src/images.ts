import type { Image } from '@aws-sdk/client-ec2';
import { BackendError } from '@dstack/backend-base';
import type { AwsConfig } from './definition.js';

export interface ImageQuery {
  readonly name: string;
  readonly owner: string;
  /** Who logs in. */
  readonly user: string;
}

/** Ubuntu with Docker and NVIDIA's driver, by AWS; Ubuntu by its makers, to which Docker is added at the first start. */
const NVIDIA: ImageQuery = {
  name: 'Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) *',
  owner: '898082745236',
  user: 'ubuntu',
};
const CPU: ImageQuery = {
  name: 'ubuntu/images/hvm-ssd*/ubuntu-jammy-22.04-*-server-*',
  owner: '099720109477',
  user: 'ubuntu',
};

/** @throws {BackendError} when the configuration has images of its own and none for this kind */
export function imageQuery({ os_images: own }: Pick<AwsConfig, 'os_images'>, hasGpu: boolean): ImageQuery {
  if (!own) return hasGpu ? NVIDIA : CPU;
  const chosen = hasGpu ? own.nvidia : own.cpu;
  if (chosen) return chosen;
  const kind = hasGpu ? 'nvidia' : 'cpu';
  throw new BackendError(
    { kind: 'rejected', blocks: 'offer' },
    `os_images has no ${kind} image, so such machines are off`,
  );
}

export interface ChosenImage {
  readonly id: string;
  readonly rootDevice: string;
}

/** The newest. @throws {BackendError} when there is none */
export function newestImage(images: readonly Image[], { name, owner }: ImageQuery): ChosenImage {
  const [newest] = [...images].sort((a, b) => (b.CreationDate ?? '').localeCompare(a.CreationDate ?? ''));
  if (newest?.ImageId === undefined) {
    const text = `the region has no image ${name} of ${owner}`;
    throw new BackendError({ kind: 'not-found', blocks: 'region' }, text);
  }
  return { id: newest.ImageId, rootDevice: newest.RootDeviceName ?? '/dev/sda1' };
}
