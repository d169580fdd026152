import { Lanes, type LanesTools, type TunnelLanes } from './lanes.js';
import { endOrphanTunnels } from './orphan-tunnels.js';
import { findSsh } from './ssh-program.js';
import type { Tunnel } from './tunnel.js';
import { isOwnerAlive, tunnelOwner } from './tunnel-owner.js';
import { TunnelYard, type YardParts } from './tunnel-yard.js';

export interface TunnelsParts extends LanesTools, Omit<YardParts, 'ssh' | 'owner'> {
  /** Where OpenSSH's client may be. */
  readonly ssh: string;
}

/** The ways to replicas past this program: made by OpenSSH's client, given to nginx. */
export class Tunnels {
  /** Null: the machine has no client of OpenSSH. */
  private yard: TunnelYard | null = null;
  private readonly lanes: Lanes;

  constructor(private readonly parts: TunnelsParts) {
    this.lanes = new Lanes(parts);
  }

  async start(): Promise<void> {
    const ssh = await findSsh(this.parts.ssh);
    if (ssh === null) return;
    this.yard = new TunnelYard({ ...this.parts, ssh, owner: await tunnelOwner(process.pid) });
    await this.yard.prepare();
  }

  /** Null: there is no way for one. Whoever asks closes it. */
  make(...replica: Parameters<TunnelYard['make']>): Tunnel | null {
    return this.yard?.make(...replica) ?? null;
  }

  /** What nginx shall have. */
  next(serviceIds: readonly string[]): Promise<TunnelLanes> {
    return this.lanes.next(serviceIds);
  }

  /** What nginx has. */
  took(lanes: TunnelLanes): void {
    this.lanes.took(lanes);
  }

  /** Whether nginx shall have others than it has. */
  areBehind(serviceIds: readonly string[]): Promise<boolean> {
    return this.lanes.areBehind(serviceIds);
  }

  /** Those of programs that were killed; what still goes through them goes on. */
  async endOrphans(): Promise<void> {
    await endOrphanTunnels({ directory: this.parts.directory, isAlive: isOwnerAlive, areSpared: true });
  }

  async whenEnded(): Promise<void> {
    await this.yard?.whenEnded();
  }
}
