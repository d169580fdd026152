import type { GpuVendor } from '@dstack/agent-protocol';
import type { HostConfig } from 'dockerode';
import type { BindMount } from './bind-mount.js';

export interface GpuRequest {
  readonly vendor: GpuVendor | undefined;
  readonly lockIds: readonly string[];
  /** Hosts without a display's driver part cannot give the capability. */
  readonly withoutDisplay: boolean;
  readonly hasHugepages: boolean;
  /** Of TPU hosts. */
  readonly pjrtDevice?: string | undefined;
}

export interface GpuGrant {
  readonly hostConfig: HostConfig;
  readonly env: readonly string[];
  readonly binds: readonly BindMount[];
  readonly devices: readonly string[];
  readonly securityOptions: readonly string[];
  readonly needsPrivilege: boolean;
}

const NVIDIA_CAPABILITIES = ['gpu', 'utility', 'compute', 'graphics', 'video', 'display', 'compat32'];
const NOTHING: GpuGrant = {
  hostConfig: {},
  env: [],
  binds: [],
  devices: [],
  securityOptions: [],
  needsPrivilege: false,
};

/** What a container is given so that it sees exactly the job's devices. */
export function grantGpus(request: GpuRequest): GpuGrant {
  const { vendor, lockIds } = request;
  if (request.pjrtDevice !== undefined) {
    return { ...NOTHING, env: [`PJRT_DEVICE=${request.pjrtDevice}`], needsPrivilege: true };
  }
  // Where NVIDIA's runtime is the default one, images that say "all" would see devices of other jobs.
  if (vendor === 'nvidia' && lockIds.length === 0) return { ...NOTHING, env: ['NVIDIA_VISIBLE_DEVICES=void'] };
  if (vendor === undefined || lockIds.length === 0) return NOTHING;
  switch (vendor) {
    case 'nvidia': {
      const capabilities = NVIDIA_CAPABILITIES.filter((name) => !request.withoutDisplay || name !== 'display');
      const hostConfig = { DeviceRequests: [{ Driver: '', DeviceIDs: [...lockIds], Capabilities: [capabilities] }] };
      return { ...NOTHING, hostConfig };
    }
    case 'amd':
      return {
        ...NOTHING,
        hostConfig: { IpcMode: 'host', CapAdd: ['SYS_PTRACE'] },
        securityOptions: ['seccomp=unconfined'],
        devices: ['/dev/kfd', ...lockIds],
      };
    case 'intel':
      return {
        ...NOTHING,
        hostConfig: { Runtime: 'habana', IpcMode: 'host', CapAdd: ['SYS_NICE'] },
        env: [`HABANA_VISIBLE_DEVICES=${lockIds.join(',')}`],
      };
    case 'tenstorrent':
      return {
        ...NOTHING,
        devices: lockIds.flatMap((id) => id.split(',')).map((index) => `/dev/tenstorrent/${index}`),
        binds: request.hasHugepages ? [{ hostPath: '/dev/hugepages-1G', path: '/dev/hugepages-1G' }] : [],
      };
    case 'google':
      return { ...NOTHING, env: ['PJRT_DEVICE=TPU'], needsPrivilege: true };
  }
}
