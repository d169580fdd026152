import type { AgentArchive } from '@dstack/backend-base';
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable } from '@nestjs/common';
import { packageVersion } from '../bootstrap/package-version.js';
import { AgentBundles } from '../hosts/agent-bundles.js';
import type { HostArch } from '../hosts/program-bundles.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import { agentUrl } from './agent-url.js';

/** This server has no agent for the architecture. */
export class NoAgentError extends Error {
  override readonly name = 'NoAgentError';
}

/** Where containers fetch the agent. An abstract class, so that a simulated world can bring its own. */
export abstract class AgentArchives {
  /** @throws {NoAgentError} */
  abstract get(arch: HostArch): Promise<AgentArchive>;
}

/** What lies at the URL must be, byte for byte, the archive that this server puts on hosts. */
@Injectable()
export class DownloadableAgents extends AgentArchives {
  private readonly checksums = new Map<HostArch, Promise<string>>();

  constructor(
    @Inject(AgentBundles) private readonly bundles: AgentBundles,
    @Inject(SETTINGS) private readonly settings: ServerSettings,
  ) {
    super();
  }

  override async get(arch: HostArch): Promise<AgentArchive> {
    const [sha256, version] = await Promise.all([this.checksum(arch), packageVersion()]);
    return { url: agentUrl(this.settings.agentDownloadUrl, { version, arch, sha256 }), sha256 };
  }

  private checksum(arch: HostArch): Promise<string> {
    let checksum = this.checksums.get(arch);
    if (checksum === undefined) {
      checksum = this.measure(arch);
      this.checksums.set(arch, checksum);
      checksum.catch(() => this.checksums.delete(arch));
    }
    return checksum;
  }

  private async measure(arch: HostArch): Promise<string> {
    const bundle = await this.bundles.get(arch);
    if (bundle === undefined) {
      throw new NoAgentError(
        `this server has no agent for ${arch}: build it (npm run build:folder -w @dstack/agent) or set DSTACK_SERVER_AGENT_DIR`,
      );
    }
    const hash = createHash('sha256');
    await pipeline(bundle.open(), hash);
    return hash.digest('hex');
  }
}
