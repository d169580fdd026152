import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentBundle } from '@dstack/backend-ssh/hosts';
import { Logger } from '@nestjs/common';

export type HostArch = AgentBundle['arch'];

const HOST_ARCHS: readonly HostArch[] = ['x86', 'arm'];
const NODE_ARCH: Readonly<Record<HostArch, string>> = { x86: 'x64', arm: 'arm64' };

export interface BundledProgram {
  readonly name: 'agent' | 'gateway';
  /** Where its folders are; undefined: where the program's own package is installed. */
  readonly directory: string | undefined;
  readonly cacheDir: string;
}

/** A program of ours that this server can put on machines, by architecture. */
export class ProgramBundles {
  private readonly log = new Logger('Bundles');
  private readonly made = new Map<HostArch, Promise<AgentBundle | undefined>>();
  private readonly digests = new Map<HostArch, string>();

  private readonly whenMade: ((digest: string) => Promise<void>)[] = [];

  constructor(private readonly program: BundledProgram) {}

  /** Whoever decided something before a bundle was made decides again then. */
  onMade(tell: (digest: string) => Promise<void>): void {
    this.whenMade.push(tell);
  }

  /** For which it has one. */
  archs(): HostArch[] {
    return HOST_ARCHS.filter((arch) => this.folderFor(arch) !== undefined);
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

  /** Null until the bundle has been made once: a decision does not wait for it. */
  digestOf(arch: HostArch): string | null {
    if (!this.made.has(arch)) {
      this.get(arch).catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.log.warn(`The ${this.program.name} for ${arch} cannot be packed: ${reason}`);
      });
    }
    return this.digests.get(arch) ?? null;
  }

  /** Of all that have been made. */
  known(): ReadonlySet<string> {
    return new Set(HOST_ARCHS.flatMap((arch) => this.digestOf(arch) ?? []));
  }

  private async make(arch: HostArch): Promise<AgentBundle | undefined> {
    const folder = this.folderFor(arch);
    if (folder === undefined) return undefined;
    const { packAgentFolder } = await import('@dstack/backend-ssh/hosts');
    const { cacheDir } = this.program;
    const bundle = await packAgentFolder({ folder, cacheDir, arch, signal: new AbortController().signal });
    this.digests.set(arch, bundle.digest);
    for (const tell of this.whenMade)
      tell(bundle.digest).catch((error: unknown) =>
        this.log.warn(`Machines with an older ${this.program.name} are not looked at yet: ${String(error)}`),
      );
    return bundle;
  }

  /** `folder` for the architecture it was built on, `folder-arm64` and the like for others. */
  private folderFor(arch: HostArch): string | undefined {
    const directory = this.program.directory ?? installed(this.program.name);
    if (directory === undefined) return undefined;
    const named = join(directory, `folder-${NODE_ARCH[arch]}`);
    if (existsSync(named)) return named;
    const own = join(directory, 'folder');
    return process.arch === NODE_ARCH[arch] && existsSync(own) ? own : undefined;
  }
}

function installed(name: BundledProgram['name']): string | undefined {
  try {
    return join(dirname(fileURLToPath(import.meta.resolve(`@dstack/${name}/package.json`))), 'dist');
  } catch {
    return undefined;
  }
}
