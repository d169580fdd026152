import { createHash } from 'node:crypto';
import type { SshTarget } from '@dstack/ssh';
import { type HostPlace, SshHost, type SshHostTools } from './ssh-host.js';

/**
 * One connection to each place that replicas are reached at, as long as one of them needs it. Not one to each host: its sshd decides at the
 * login which ports the gateway's key opens, so a connection from before does not reach the port of a replica that came later.
 */
export class SshHosts {
  private readonly hosts = new Map<string, { readonly host: SshHost; users: number }>();

  constructor(private readonly tools: SshHostTools) {}

  /** To be given back by `release`. */
  take(target: SshTarget, remote: HostPlace): { readonly way: SshHost; readonly release: () => void } {
    const key = createHash('sha256')
      .update(JSON.stringify([target, remote]))
      .digest('hex');
    let entry = this.hosts.get(key);
    if (entry === undefined) {
      entry = { host: new SshHost(target, remote, this.tools), users: 0 };
      this.hosts.set(key, entry);
    }
    entry.users += 1;
    const taken = entry;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      taken.users -= 1;
      if (taken.users > 0) return;
      this.hosts.delete(key);
      taken.host.close();
    };
    return { way: taken.host, release };
  }
}
