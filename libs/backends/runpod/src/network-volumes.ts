import {
  BackendError,
  type Call,
  type CloudVolume,
  isBackendError,
  type Termination,
  type VolumeConfiguration,
  type VolumeSupport,
} from '@dstack/backend-base';
import type { RunpodClient } from './client.js';
import type { RunpodVolume } from './schema.js';

const SIZE_GB = { min: 10, max: 4096 };

/** Bound when a pod is made, in the data center of the volume, and released when it ends. */
export class NetworkVolumes implements VolumeSupport {
  constructor(private readonly client: RunpodClient) {}

  async register(configuration: VolumeConfiguration, call: Call): Promise<CloudVolume> {
    const id = 'volume_id' in configuration ? configuration.volume_id : null;
    const found = (await this.client.volumes(call)).find((volume) => volume.id === id);
    if (found === undefined)
      throw new BackendError(
        { kind: 'not-found', blocks: 'offer' },
        `RunPod has no network volume ${id ?? 'without an id'}`,
      );
    return toVolume(found);
  }

  /** Names are not unique: whoever asks looks first. */
  async create(
    { configuration, cloudName, owner }: Parameters<VolumeSupport['create']>[0],
    call: Call,
  ): Promise<CloudVolume> {
    const name = nameOf(owner, cloudName);
    const known = (await this.client.volumes(call)).find((volume) => volume.name === name);
    if (known !== undefined) return toVolume(known);
    const size = sizeOf(configuration);
    // In lower case it is taken, and leads nowhere.
    const dataCenter = (configuration.region ?? '').toUpperCase();
    return toVolume(await this.client.addVolume({ name, size, dataCenter }, call));
  }

  async delete({ volumeId }: CloudVolume, call: Call): Promise<Termination> {
    await this.client.deleteVolume(volumeId, call).catch((error: unknown) => {
      const isGone =
        isBackendError(error) && (error.failure.kind === 'not-found' || /nonexistent/i.test(error.message));
      if (!isGone) throw error;
    });
    return 'done';
  }

  async attach(): Promise<never> {
    throw new BackendError({ kind: 'rejected', blocks: 'offer' }, 'RunPod binds volumes when it makes the pod');
  }

  async detach(): Promise<Termination> {
    return 'done';
  }

  async list(owner: string, call: Call): Promise<CloudVolume[]> {
    const prefix = nameOf(owner, '');
    return (await this.client.volumes(call)).filter(({ name }) => name.startsWith(prefix)).map(toVolume);
  }
}

function toVolume({ id, size, dataCenter }: RunpodVolume): CloudVolume {
  return {
    volumeId: id,
    sizeGb: size,
    zone: dataCenter,
    priceUsdPerMonth: Math.round(size * (size < 1000 ? 7 : 5)) / 100,
    attachable: false,
    backendData: null,
  };
}

function sizeOf({ size }: VolumeConfiguration): number {
  if (typeof size === 'number' && size >= SIZE_GB.min && size <= SIZE_GB.max) return Math.ceil(size);
  const message = `network volumes of RunPod have from ${SIZE_GB.min} to ${SIZE_GB.max} GB`;
  throw new BackendError({ kind: 'rejected', blocks: 'account' }, message);
}

/** They have no tags: the installation is in the name. */
function nameOf(owner: string, cloudName: string): string {
  return `dstack-${owner}-${cloudName}`;
}
