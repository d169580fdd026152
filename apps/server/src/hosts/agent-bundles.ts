import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { AgentBundle } from '@dstack/backend-ssh/hosts';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';

export type HostArch = 'x86' | 'arm';

const HOST_ARCHS: readonly HostArch[] = ['x86', 'arm'];
const NODE_ARCH: Readonly<Record<HostArch, string>> = { x86: 'x64', arm: 'arm64' };

/** The agents this server can put on hosts, by architecture. */
@Injectable()
export class AgentBundles {
  private readonly log = new Logger('Agents');
  private readonly made = new Map<HostArch, Promise<AgentBundle | undefined>>();
  private readonly digests = new Map<HostArch, string>();

  constructor(@Inject(SETTINGS) private readonly settings: ServerSettings) {}

  has(arch: HostArch): boolean {
    return agentFolder(this.settings.agentDirectory ?? installedAgents(), arch) !== undefined;
  }

  /** Undefined: this server has none for the architecture. */
  get(arch: HostArch): Promise<AgentBundle | undefined> {
    let bundle = this.made.get(arch);
    if (bundle === undefined) {
      bundle = this.make(arch);
      this.made.set(arch, bundle);
      bundle.catch(() => this.made.delete(arch));
    }
    return bundle;
  }

  /** For which it has one. */
  archs(): HostArch[] {
    const directory = this.settings.agentDirectory ?? installedAgents();
    return HOST_ARCHS.filter((arch) => agentFolder(directory, arch) !== undefined);
  }

  /** Null until the bundle has been made once: a decision does not wait for it. */
  digestOf(arch: HostArch): string | null {
    if (!this.made.has(arch)) {
      this.get(arch).catch((error: unknown) => {
        this.log.warn(
          `The agent for ${arch} cannot be packed: ${error instanceof Error ? error.message : String(error)}`,
        );
      });
    }
    return this.digests.get(arch) ?? null;
  }

  private async make(arch: HostArch): Promise<AgentBundle | undefined> {
    const folder = agentFolder(this.settings.agentDirectory ?? installedAgents(), arch);
    if (folder === undefined) return undefined;
    const { packAgentFolder } = await import('@dstack/backend-ssh/hosts');
    const cacheDir = join(this.settings.serverDir, 'agents');
    const bundle = await packAgentFolder({ folder, cacheDir, arch, signal: new AbortController().signal });
    this.digests.set(arch, bundle.digest);
    return bundle;
  }
}

/** `folder` for the architecture it was built on, `folder-arm64` and the like for others. */
function agentFolder(directory: string | undefined, arch: HostArch): string | undefined {
  if (directory === undefined) return undefined;
  const named = join(directory, `folder-${NODE_ARCH[arch]}`);
  if (existsSync(named)) return named;
  const own = join(directory, 'folder');
  return process.arch === NODE_ARCH[arch] && existsSync(own) ? own : undefined;
}

function installedAgents(): string | undefined {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve('@dstack/agent/package.json'))), 'dist');
  } catch {
    return undefined;
  }
}
