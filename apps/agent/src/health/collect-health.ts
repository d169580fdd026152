import { basename } from 'node:path';
import type { RuntimeFact } from '@dstack/agent-protocol';
import type { GpuInventory } from '../gpu/discover-gpus.js';
import { nvidiaTool } from '../gpu/gpu-tools.js';
import { type HostProbe, ToolFailedError } from '../gpu/host-probe.js';
import { NVIDIA_LIST_ARGS, parseNvidiaList } from '../gpu/nvidia-smi.js';
import { AMD_ECC_ARGS, judgeAmdBadPages, judgeAmdEcc } from './amd-memory.js';
import { DCGM_CHECK_ARGS, DCGM_WATCH_ARGS, judgeDcgm, wantsWatches } from './dcgm-health.js';
import { judgeDisk } from './disk-space.js';
import { failure, type Incident, warning } from './incident.js';
import { judgeNvidiaEcc, judgeNvidiaRows, NVIDIA_ECC_ARGS, NVIDIA_ROWS_ARGS } from './nvidia-memory.js';
import { judgeNvidiaRecovery, NVIDIA_RECOVERY_ARGS } from './nvidia-recovery.js';
import { judgeXids } from './xid-log.js';

export interface DiskFact {
  readonly path: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
}

export interface HealthSources {
  readonly inventory: GpuInventory;
  readonly probe: HostProbe;
  readonly disks: () => Promise<readonly DiskFact[]>;
  readonly engine: () => Promise<RuntimeFact>;
  readonly uptimeSeconds: () => number;
}

/** Without persistence mode the driver is loaded for each call, which takes seconds for each device. */
const TOOL_LIMIT_MS = 40_000;

/** Everything that the host's own tools tell; a tool that is not there, or does not know, tells nothing. Never throws. */
export class HealthCollector {
  private hadEngine = false;

  constructor(private readonly sources: HealthSources) {}

  async collect(): Promise<Incident[]> {
    const parts = await Promise.all([this.gpus(), this.disks(), this.engine()]);
    return parts.flat();
  }

  private async gpus(): Promise<Incident[]> {
    const { inventory } = this.sources;
    const blind = inventory.gpus.length === 0 ? failure : warning;
    const found = inventory.problems.map((problem) => blind(problem));
    if (inventory.vendor === 'nvidia') return [...found, ...(await this.nvidia())];
    if (inventory.vendor === 'amd') return [...found, ...(await this.amd())];
    return found;
  }

  private async nvidia(): Promise<Incident[]> {
    const { inventory, probe, uptimeSeconds } = this.sources;
    const xids = judgeXids(await this.ask('dmesg', []), uptimeSeconds());
    if (inventory.gpus.length === 0) return xids;
    const ecc = judgeNvidiaEcc(await this.ask(nvidiaTool(probe), NVIDIA_ECC_ARGS));
    const rows = judgeNvidiaRows(await this.ask(nvidiaTool(probe), NVIDIA_ROWS_ARGS), ecc.indexByUuid);
    const recovery = judgeNvidiaRecovery(await this.ask(nvidiaTool(probe), NVIDIA_RECOVERY_ARGS));
    return [...(await this.missingNvidia()), ...ecc.incidents, ...rows, ...recovery, ...xids, ...(await this.dcgm())];
  }

  /** The devices there were when the agent started, and no longer are. */
  private async missingNvidia(): Promise<Incident[]> {
    const { inventory, probe } = this.sources;
    try {
      const { gpus } = parseNvidiaList(await probe.run(nvidiaTool(probe), NVIDIA_LIST_ARGS, TOOL_LIMIT_MS));
      const present = new Set(gpus.map(({ lockId }) => lockId));
      return inventory.gpus
        .map(({ lockId }, index) => ({ lockId, index }))
        .filter(({ lockId }) => !present.has(lockId))
        .map(({ lockId, index }) => failure(`GPU ${index} (${lockId}) does not answer any more`));
    } catch (error) {
      const message = error instanceof Error ? error.message.split('\n', 1)[0] : String(error);
      return [failure(`the NVIDIA driver does not answer: ${message}`)];
    }
  }

  private async dcgm(): Promise<Incident[]> {
    const said = await this.ask('dcgmi', DCGM_CHECK_ARGS);
    if (!wantsWatches(said)) return judgeDcgm(said);
    await this.ask('dcgmi', DCGM_WATCH_ARGS);
    return judgeDcgm(await this.ask('dcgmi', DCGM_CHECK_ARGS));
  }

  private async amd(): Promise<Incident[]> {
    const { inventory, probe } = this.sources;
    const pages = inventory.gpus.flatMap(({ lockId }, index) => {
      const text = probe.readText(`/sys/class/drm/${basename(lockId)}/device/ras/gpu_vram_bad_pages`) ?? '';
      return judgeAmdBadPages(text, `GPU ${index}`);
    });
    return [...judgeAmdEcc(await this.ask('amd-smi', AMD_ECC_ARGS)), ...pages];
  }

  private async disks(): Promise<Incident[]> {
    const disks = await this.sources.disks().catch(() => []);
    return disks.flatMap(({ path, freeBytes, totalBytes }) => judgeDisk(path, freeBytes, totalBytes));
  }

  /** A host that never had an engine lacks nothing: it runs processes. */
  private async engine(): Promise<Incident[]> {
    const { available, detail } = await this.sources.engine();
    if (available) this.hadEngine = true;
    return available || !this.hadEngine ? [] : [warning(`containers cannot be run any more: ${detail}`)];
  }

  /** Also what a tool printed before it failed. */
  private async ask(file: string, args: readonly string[]): Promise<string> {
    return this.sources.probe
      .run(file, args, TOOL_LIMIT_MS)
      .catch((error: unknown) => (error instanceof ToolFailedError ? error.stdout : ''));
  }
}
