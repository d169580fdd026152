import { type Attempt, CONTAINER_SSH_PORT } from '@dstack/backend-base';
import { isCountry } from './places.js';

/** Pods have no tags. What these hold is read back from the pod; the agent keeps them from the job. */
export const OWNER_VARIABLE = 'DSTACK_AGENT_OWNER';
export const TOKEN_VARIABLE = 'DSTACK_AGENT_ATTEMPT';

export interface PodRequest {
  readonly mutation: 'podFindAndDeployOnDemand' | 'podRentInterruptable' | 'deployCpuPod';
  readonly inputType: 'PodFindAndDeployOnDemandInput' | 'PodRentInterruptableInput' | 'deployCpuPodInput';
  readonly input: Readonly<Record<string, unknown>>;
}

/** What of the offer and the attempt goes to RunPod. @throws {TypeError} for an attempt that says not what to run */
export function podRequest(attempt: Attempt, registryId: string | null): PodRequest {
  const { offer, container } = attempt;
  if (container === null) throw new TypeError('a pod runs a container');
  const { resources, name: type } = offer.instance;
  const [mount] = container.mounts;
  const input = {
    name: attempt.cloudName,
    imageName: container.image,
    cloudType: isCountry(offer.region) ? 'COMMUNITY' : 'SECURE',
    containerDiskInGb: diskGbOf(offer),
    dockerArgs: dockerArgs(container.command),
    ports: `${CONTAINER_SSH_PORT}/tcp`,
    env: environmentOf(attempt),
    ...(isCountry(offer.region) ? { countryCode: offer.region } : { dataCenterId: offer.region }),
    ...(registryId === null ? {} : { containerRegistryAuthId: registryId }),
    ...(mount === undefined ? {} : { networkVolumeId: mount.volumeId, volumeMountPath: mount.path }),
  };
  if (resources.gpus.length === 0) {
    return {
      mutation: 'deployCpuPod',
      inputType: 'deployCpuPodInput',
      input: { ...input, instanceId: type, deployCost: offer.price },
    };
  }
  const withGpus = {
    ...input,
    gpuTypeId: type,
    gpuCount: resources.gpus.length,
    minVcpuCount: resources.cpus,
    minMemoryInGb: Math.floor(resources.memory_mib / 1024),
    minCudaVersion: MIN_CUDA,
    supportPublicIp: true,
    // Nothing beside the container's own disk.
    volumeInGb: 0,
  };
  if (!resources.spot)
    return { mutation: 'podFindAndDeployOnDemand', inputType: 'PodFindAndDeployOnDemandInput', input: withGpus };
  const bidPerGpu = offer.price / resources.gpus.length;
  return {
    mutation: 'podRentInterruptable',
    inputType: 'PodRentInterruptableInput',
    input: { ...withGpus, bidPerGpu },
  };
}

/** Below it the images of today do not run. */
const MIN_CUDA = '12.8';
const DEFAULT_DISK_GB = 100;

export function diskGbOf({ instance: { resources } }: Attempt['offer']): number {
  return Math.ceil((resources.disk?.size_mib ?? 0) / 1024) || DEFAULT_DISK_GB;
}

export function environmentOf(
  { container, owner, token }: Attempt,
  more: Readonly<Record<string, string>> = {},
): { readonly key: string; readonly value: string }[] {
  return Object.entries({
    ...more,
    ...container?.env,
    // Root, whatever user the image names: the agent becomes the job's user by itself.
    RUNPOD_POD_USER: '0',
    [OWNER_VARIABLE]: owner,
    [TOKEN_VARIABLE]: token,
  }).map(([key, value]) => ({ key, value }));
}

/** The one form of `dockerArgs` that takes the place of an image's entry point, too. */
export function dockerArgs([shell = '', option = '', ...script]: readonly string[]): string {
  return JSON.stringify({ cmd: script, entrypoint: [shell, option] });
}
