import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentBundle } from '@dstack/backend-ssh/hosts';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';

type Arch = AgentBundle['arch'];
const NODE_ARCH: Readonly<Record<Arch, string>> = { x86: 'x64', arm: 'arm64' };

/** The gateways this server can put on machines, by architecture. */
@Injectable()
export class GatewayBundles {
  private readonly log = new Logger('Gateways');
  private readonly made = new Map<Arch, Promise<AgentBundle | undefined>>();
  private readonly digests = new Set<string>();

  constructor(@Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'gatewayDirectory' | 'serverDir'>) {}

  /** Undefined: this server has none for the architecture. */
  get(arch: Arch): Promise<AgentBundle | undefined> {
    let bundle = this.made.get(arch);
    if (bundle === undefined) {
      bundle = this.make(arch);
      this.made.set(arch, bundle);
      bundle.catch(() => this.made.delete(arch));
    }
    return bundle;
  }

  /** Of all that have been made: a decision does not wait for one. */
  known(): ReadonlySet<string> {
    for (const arch of ['x86', 'arm'] as const) {
      if (this.made.has(arch)) continue;
      this.get(arch).catch((error: unknown) =>
        this.log.warn(
          `The gateway for ${arch} cannot be packed: ${error instanceof Error ? error.message : String(error)}`,
        ),
      );
    }
    return this.digests;
  }

  private async make(arch: Arch): Promise<AgentBundle | undefined> {
    const folder = folderOf(this.settings.gatewayDirectory ?? installedGateways(), arch);
    if (folder === undefined) return undefined;
    const { packAgentFolder } = await import('@dstack/backend-ssh/hosts');
    const cacheDir = join(this.settings.serverDir, 'gateways');
    const bundle = await packAgentFolder({ folder, cacheDir, arch, signal: new AbortController().signal });
    this.digests.add(bundle.digest);
    return bundle;
  }
}

/** `folder` for the architecture it was built on, `folder-arm64` and the like for others. */
function folderOf(directory: string | undefined, arch: Arch): string | undefined {
  if (directory === undefined) return undefined;
  const named = join(directory, `folder-${NODE_ARCH[arch]}`);
  if (existsSync(named)) return named;
  const own = join(directory, 'folder');
  return process.arch === NODE_ARCH[arch] && existsSync(own) ? own : undefined;
}

function installedGateways(): string | undefined {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve('@dstack/gateway/package.json'))), 'dist');
  } catch {
    return undefined;
  }
}
