import type { GpuVendor } from '@dstack/agent-protocol';

/** Under WSL the driver brings no device nodes, only its tools in this folder. */
export const WSL_NVIDIA_SMI = '/usr/lib/wsl/lib/nvidia-smi';

/** What a host has, by its device nodes; the first match counts. TPUs leave no sure sign: the offer tells of them. */
export function decideGpuVendor(exists: (path: string) => boolean): GpuVendor | undefined {
  if (exists('/dev/nvidiactl')) return 'nvidia';
  if (exists('/dev/dxg') && exists(WSL_NVIDIA_SMI)) return 'nvidia';
  if (exists('/dev/tenstorrent')) return 'tenstorrent';
  if (exists('/dev/kfd')) return 'amd';
  if (exists('/dev/accel')) return 'intel';
  return undefined;
}
