import type { GpuFact, GpuVendor } from '@dstack/agent-protocol';
import { AMD_LIST_ARGS, parseAmdList } from './amd-smi.js';
import type { FoundGpus } from './found-gpus.js';
import { listAmd, listTenstorrent, runNvidia } from './gpu-tools.js';
import { decideGpuVendor } from './gpu-vendor.js';
import { GAUDI_LIST_ARGS, parseGaudiList } from './hl-smi.js';
import type { HostProbe } from './host-probe.js';
import { NVIDIA_LIST_ARGS, parseNvidiaList } from './nvidia-smi.js';
import { parseTenstorrentList, TENSTORRENT_LIST_ARGS } from './tt-smi.js';

export interface GpuInventory {
  readonly vendor: GpuVendor | undefined;
  readonly gpus: readonly GpuFact[];
  /** Which device a row of the tool's measurements tells of. */
  readonly lockIdByToolIndex: ReadonlyMap<number, string>;
  /** Why devices are missing; empty when all is well. */
  readonly problems: readonly string[];
}

/** Never throws: a host whose tool fails counts as one without GPUs, and says why. */
export async function discoverGpus(probe: HostProbe): Promise<GpuInventory> {
  const vendor = decideGpuVendor((path) => probe.exists(path));
  if (vendor === undefined) return { vendor, gpus: [], lockIdByToolIndex: new Map(), problems: [] };
  const { gpus, problems } = await list(vendor, probe).catch((error: unknown): FoundGpus => {
    const message = oneLine(error instanceof Error ? error.message : String(error));
    return { gpus: [], problems: [`the host has ${vendor} devices, but their tool failed: ${message}`] };
  });
  return {
    vendor,
    gpus: gpus.map(({ toolIndex: _toolIndex, ...fact }) => fact),
    lockIdByToolIndex: new Map(gpus.map((gpu) => [gpu.toolIndex, gpu.lockId])),
    problems,
  };
}

/** Tools spread a sentence and its cause over several lines. */
function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, '; ');
}

async function list(vendor: GpuVendor, probe: HostProbe): Promise<FoundGpus> {
  switch (vendor) {
    case 'nvidia':
      return parseNvidiaList(await runNvidia(probe, NVIDIA_LIST_ARGS));
    case 'amd':
      return parseAmdList(await listAmd(probe, AMD_LIST_ARGS), (bdf) =>
        probe.realPath(`/dev/dri/by-path/pci-${bdf}-render`),
      );
    case 'intel':
      return parseGaudiList(await probe.run('hl-smi', GAUDI_LIST_ARGS, 30_000));
    case 'tenstorrent':
      return parseTenstorrentList(
        await listTenstorrent(probe, TENSTORRENT_LIST_ARGS),
        probe.readText('/sys/module/tenstorrent/version'),
      );
    case 'google':
      return { gpus: [], problems: [] };
  }
}
