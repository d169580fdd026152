import { Hosts, type InstalledAgent, type ReadyHost } from '@dstack/server/parts';

/** Nobody gives hosts of his own. */
export class NoHosts extends Hosts {
  override onboard(): Promise<ReadyHost> {
    return Promise.reject(new Error('there are no hosts'));
  }

  override installAgent(): Promise<InstalledAgent> {
    return Promise.reject(new Error('there are no hosts'));
  }

  override replaceAgent(): Promise<string> {
    return Promise.reject(new Error('there are no hosts'));
  }

  override async offboard(): Promise<void> {
    // Nothing is there.
  }

  override agentDigest(): null {
    return null;
  }
}
