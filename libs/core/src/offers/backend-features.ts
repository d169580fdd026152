import type { InternalBackendType } from '../wire/internal-values.js';
import type * as Wire from '../wire/generated/api.js';

export type BackendFeature =
  | 'multinode'
  | 'privileged'
  | 'instance-volumes'
  | 'reservation'
  | 'network-volumes'
  | 'placement-groups'
  | 'create-instance'
  | 'group-provisioning';

const VM_BACKENDS = [
  'amddevcloud',
  'aws',
  'azure',
  'cloudrift',
  'crusoe',
  'datacrunch',
  'digitalocean',
  'gcp',
  'hotaisle',
  'jarvislabs',
  'lambda',
  'nebius',
  'oci',
  'verda',
  'vultr',
] as const satisfies readonly InternalBackendType[];

const FEATURES: Readonly<Record<BackendFeature, ReadonlySet<InternalBackendType>>> = {
  multinode: new Set([
    'local',
    'remote',
    'aws',
    'azure',
    'crusoe',
    'gcp',
    'kubernetes',
    'nebius',
    'oci',
    'runpod',
    'slurm',
    'vultr',
  ]),
  privileged: new Set([...VM_BACKENDS, 'kubernetes', 'remote', 'local']),
  'instance-volumes': new Set([...VM_BACKENDS, 'kubernetes', 'remote', 'local']),
  reservation: new Set(['aws', 'azure', 'gcp']),
  'network-volumes': new Set(['aws', 'gcp', 'kubernetes', 'runpod']),
  'placement-groups': new Set(['aws', 'crusoe', 'gcp', 'nebius']),
  'create-instance': new Set([...VM_BACKENDS, 'local']),
  'group-provisioning': new Set(['gcp', 'runpod', 'slurm']),
};

export function backendHas(backend: InternalBackendType, feature: BackendFeature): boolean {
  return FEATURES[feature].has(backend);
}

export function backendsWith(feature: BackendFeature): readonly InternalBackendType[] {
  return [...FEATURES[feature]];
}

/** What the backend must be able to do for a job. An optional instance mount asks nothing: it is dropped where it cannot be. */
export function requiredFeatures(
  job: Pick<Wire.JobSpec, 'privileged' | 'volumes' | 'jobs_per_replica' | 'requirements'>,
): BackendFeature[] {
  const features: BackendFeature[] = [];
  if ((job.jobs_per_replica ?? 1) > 1) features.push('multinode');
  if (job.privileged) features.push('privileged');
  if (job.requirements.reservation) features.push('reservation');
  const mounts = job.volumes ?? [];
  if (mounts.some((mount) => 'instance_path' in mount && !mount.optional)) features.push('instance-volumes');
  if (mounts.some((mount) => 'name' in mount)) features.push('network-volumes');
  return features;
}
