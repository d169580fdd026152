import { AgentArchives } from '@dstack/server/parts';

/** Simulated containers come with an agent: nobody fetches what is told here. */
export class NoDownload extends AgentArchives {
  override async get() {
    return { url: 'https://simulated.invalid/agent.tar.gz', sha256: '0'.repeat(64) };
  }
}
