import type { GpuVendor } from '@dstack/agent-protocol';

/**
 * How a process is told which devices are its job's: unlike a container it sees them all. Each vendor's libraries look at another variable.
 * @param toolIndexOf the number that the vendor's own tools give a device
 */
export function visibleGpus(
  vendor: GpuVendor | undefined,
  lockIds: readonly string[],
  toolIndexOf: (lockId: string) => number | undefined,
): Record<string, string> {
  const indexes = (): string => lockIds.flatMap((id) => toolIndexOf(id) ?? []).join(',');
  switch (vendor) {
    case 'nvidia':
      return { CUDA_VISIBLE_DEVICES: lockIds.join(','), NVIDIA_VISIBLE_DEVICES: lockIds.join(',') || 'void' };
    case 'amd':
      return { ROCR_VISIBLE_DEVICES: indexes() };
    case 'intel':
      return { HABANA_VISIBLE_DEVICES: lockIds.join(',') };
    case 'tenstorrent':
      return { TT_VISIBLE_DEVICES: lockIds.join(',') };
    case 'google':
    case undefined:
      return {};
  }
}
