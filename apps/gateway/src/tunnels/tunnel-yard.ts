import type { ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SshTarget } from '@dstack/ssh';
import type { HostPlace } from '../replicas/ssh-host.js';
import { openConnections } from './open-connections.js';
import { Tunnel, type TunnelParts, type TunnelTools } from './tunnel.js';
import { tunnelPlan } from './tunnel-plan.js';

export interface YardParts extends Pick<TunnelTools, 'ssh' | 'sockets' | 'now' | 'after' | 'random'> {
  /** Of the gateway's sockets. */
  readonly directory: string;
  /** Tells the tunnels of this program from those of the one before it. */
  readonly owner: string;
}

/** The tunnels of this program. */
export class TunnelYard {
  private readonly children = new Set<ChildProcess>();
  private made = 0;
  private readonly tools: TunnelTools;

  constructor(private readonly parts: YardParts) {
    this.tools = {
      ...parts,
      connections: openConnections,
      started: (child) => {
        this.children.add(child);
        child.once('close', () => this.children.delete(child));
      },
    };
    // Nobody would end them then.
    process.once('exit', () => {
      for (const child of this.children) child.kill();
    });
  }

  async prepare(): Promise<void> {
    await mkdir(socketsOf(this.parts.directory), { recursive: true, mode: 0o711 });
    await mkdir(secretsOf(this.parts.directory), { recursive: true, mode: 0o700 });
  }

  /** Null: there is no way for a tunnel. */
  make(target: SshTarget, remote: HostPlace, replica: Pick<TunnelParts, 'probe' | 'changed'>): Tunnel | null {
    const name = `${this.parts.owner}-${this.made.toString(36)}`;
    const { directory } = this.parts;
    const places = { directory: join(secretsOf(directory), name), socketPath: join(socketsOf(directory), `${name}.n`) };
    const plan = tunnelPlan(target, remote, places);
    if (plan === null) return null;
    this.made += 1;
    return new Tunnel({ name, path: join(socketsOf(directory), `${name}.s`), plan, ...replica, ...places }, this.tools);
  }

  /** Resolves when all have ended. */
  async whenEnded(): Promise<void> {
    await Promise.all([...this.children].map((child) => new Promise((resolve) => child.once('close', resolve))));
  }
}

/** Where nginx comes to tunnels. */
export function socketsOf(directory: string): string {
  return join(directory, 't');
}

/** Keys, until their tunnel stands. */
export function secretsOf(directory: string): string {
  return join(directory, 'k');
}
