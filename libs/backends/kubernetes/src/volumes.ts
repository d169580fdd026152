import {
  BackendError,
  type Call,
  type CloudVolume,
  type ListedVolume,
  type Termination,
  type VolumeConfiguration,
  type VolumeSupport,
} from '@dstack/backend-base';
import type { V1PersistentVolumeClaim } from '@kubernetes/client-node';
import { z } from 'zod';
import type { Cluster } from './cluster.js';
import { isAlreadyThere } from './errors.js';
import { baseLabels, COMPONENT, OWNER, REGION, TOKEN, VOLUME, withTags } from './names.js';
import { parseQuantity } from './quantity.js';
import type { Claim } from './schema.js';

type ClaimConfiguration = Extract<VolumeConfiguration, { backend?: 'kubernetes' }>;

const GIB = 2 ** 30;
const place = z.object({ region: z.string() });

/** Claims of storage, which pods mount as they start. */
export class ClaimVolumes implements VolumeSupport {
  constructor(
    private readonly clusterOf: (region: string) => Cluster,
    private readonly clusters: readonly Cluster[],
  ) {}

  async register(configuration: VolumeConfiguration, call: Call): Promise<CloudVolume> {
    const { claim_name: name, region } = ours(configuration);
    if (!name) throw rejected('claim_name says which claim to use');
    const claim = await this.clusterOf(region ?? '').client.claim(name, call);
    if (claim !== null) return toVolume(claim, region ?? '');
    throw new BackendError({ kind: 'not-found', blocks: 'offer' }, `the cluster has no claim ${name} in the namespace`);
  }

  async create(
    request: { configuration: VolumeConfiguration; token: string; cloudName: string; owner: string },
    call: Call,
  ): Promise<CloudVolume> {
    const { region } = ours(request.configuration);
    const { client } = this.clusterOf(region ?? '');
    const claim = await client.createClaim(claimOf(request), call).catch(async (error: unknown) => {
      const made = isAlreadyThere(error) ? await client.claim(request.cloudName, call) : null;
      if (made === null) throw error;
      return made;
    });
    return toVolume(claim, region ?? '');
  }

  async delete({ volumeId, backendData }: CloudVolume, call: Call): Promise<Termination> {
    const { region } = place.parse(JSON.parse(backendData ?? '{"region":""}'));
    // It stays until the last pod that mounts it is gone.
    return (await this.clusterOf(region).client.delete('persistentvolumeclaims', volumeId, call)) ? 'pending' : 'done';
  }

  async attach(): Promise<never> {
    throw rejected('a claim is mounted as the pod starts, and cannot be attached later');
  }

  async detach(): Promise<Termination> {
    return 'done';
  }

  async list(owner: string, call: Call): Promise<ListedVolume[]> {
    const labels = { [OWNER]: owner, [COMPONENT]: VOLUME };
    const lists = await Promise.all(
      this.clusters.map(async ({ client, region }) => {
        const claims = await client.claimsWith(labels, call);
        return claims
          .filter(({ metadata }) => metadata.annotations[REGION] === region)
          .map((claim) => ({
            ...toVolume(claim, region),
            cloudName: claim.metadata.name,
            token: claim.metadata.labels[TOKEN] ?? null,
          }));
      }),
    );
    return lists.flat();
  }
}

function claimOf({
  configuration,
  token,
  cloudName,
  owner,
}: Parameters<ClaimVolumes['create']>[0]): V1PersistentVolumeClaim {
  const { size, region, storage_class_name: storageClassName, access_modes: accessModes, tags } = ours(configuration);
  if (!size) throw rejected('size says how much to claim');
  const labels = withTags(tags ?? {}, { ...baseLabels(VOLUME, cloudName, owner), [TOKEN]: token }, () => undefined);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: cloudName, labels: { ...labels }, annotations: { [REGION]: region ?? '' } },
    spec: {
      accessModes: [...(accessModes ?? ['ReadWriteOnce'])],
      ...(storageClassName ? { storageClassName } : {}),
      resources: { requests: { storage: `${Math.ceil(size)}Gi` } },
    },
  };
}

function toVolume({ metadata, spec, status }: Claim, region: string): CloudVolume {
  const size = status?.capacity?.['storage'] ?? spec.resources?.requests?.['storage'] ?? '0';
  return {
    volumeId: metadata.name,
    sizeGb: Math.floor(parseQuantity(size) / GIB),
    zone: null,
    priceUsdPerMonth: 0,
    attachable: false,
    backendData: JSON.stringify({ region }),
  };
}

function ours(configuration: VolumeConfiguration): ClaimConfiguration {
  // The server asks the backend that the configuration names.
  return configuration as ClaimConfiguration;
}

function rejected(message: string): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'account' }, message);
}
