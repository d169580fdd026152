import { WSL_NVIDIA_SMI } from './gpu-vendor.js';
import type { HostProbe } from './host-probe.js';

const LIST_LIMIT_MS = 30_000;
/** The first use of an image on a host pulls it. */
const IMAGE_LIMIT_MS = 120_000;
const USAGE_LIMIT_MS = 5_000;

const AMD_IMAGE = ['run', '--rm', '--device', '/dev/kfd', '--device', '/dev/dri', 'dstackai/amd-smi'] as const;
const TENSTORRENT_IMAGE = ['run', '--rm', '--device', '/dev/tenstorrent', 'dstackai/tt-smi'] as const;

type Attempt = readonly [file: string, args: readonly string[], timeoutMs: number];

export function nvidiaTool(probe: HostProbe): string {
  return probe.exists('/dev/nvidiactl') ? 'nvidia-smi' : WSL_NVIDIA_SMI;
}

export function runNvidia(probe: HostProbe, args: readonly string[]): Promise<string> {
  return probe.run(nvidiaTool(probe), args, LIST_LIMIT_MS);
}

/** Old tools do not know `--driver` and fail; the GPUs matter more than their driver's version. */
export function listAmd(probe: HostProbe, args: readonly string[]): Promise<string> {
  const withDriver = [...args, '--driver'];
  return firstThatRuns(probe, [
    ['amd-smi', withDriver, LIST_LIMIT_MS],
    ['amd-smi', args, LIST_LIMIT_MS],
    ['/opt/rocm/bin/amd-smi', withDriver, LIST_LIMIT_MS],
    ['docker', [...AMD_IMAGE, ...withDriver], IMAGE_LIMIT_MS],
    ['docker', [...AMD_IMAGE, ...args], IMAGE_LIMIT_MS],
  ]);
}

export function listTenstorrent(probe: HostProbe, args: readonly string[]): Promise<string> {
  return firstThatRuns(probe, [
    ['tt-smi', args, LIST_LIMIT_MS],
    ['docker', [...TENSTORRENT_IMAGE, ...args], IMAGE_LIMIT_MS],
  ]);
}

export function measureWith(probe: HostProbe, file: string, args: readonly string[]): Promise<string> {
  return probe.run(file, args, USAGE_LIMIT_MS);
}

async function firstThatRuns(probe: HostProbe, attempts: readonly Attempt[]): Promise<string> {
  const problems = new Set<string>();
  for (const [file, args, timeoutMs] of attempts) {
    try {
      return await probe.run(file, args, timeoutMs);
    } catch (error) {
      problems.add(`${file}: ${error instanceof Error ? error.message.trim() : String(error)}`);
    }
  }
  throw new Error([...problems].join('; '));
}
