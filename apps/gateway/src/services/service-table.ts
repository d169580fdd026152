import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { GatewayState, ReplicaStatus, ServiceStats } from '@dstack/gateway-protocol';
import type { CountedTraffic } from '../control/control-server.js';
import type { SocketOwner } from '../files/listen-at.js';
import { serviceName } from '../nginx/service-name.js';
import type { ServerLead } from '../replicas/server-lead.js';
import type { SshHosts } from '../replicas/ssh-hosts.js';
import { replicaIdentity, sshTarget } from '../replicas/ssh-target.js';
import type { CountedLine } from '../traffic/counted-line.js';
import type { LaneReplica } from '../tunnels/lane.js';
import { LiveService, type LiveServiceTools } from './live-service.js';

export interface ServiceTableParts extends Pick<LiveServiceTools, 'now' | 'random' | 'after' | 'changed' | 'held'> {
  /** Of the services' sockets. */
  readonly directory: string;
  readonly sockets: SocketOwner;
  readonly hosts: SshHosts;
  readonly lead: ServerLead;
  /** What the program before this one has counted. */
  readonly former: CountedTraffic;
}

/** The services of the state, each with its socket. */
export class ServiceTable {
  private readonly services = new Map<string, LiveService>();
  private readonly tools: LiveServiceTools;
  private keys: ReadonlyMap<string, string> = new Map();

  constructor(private readonly parts: ServiceTableParts) {
    const { now, random, after, changed, held, hosts, lead } = parts;
    this.tools = {
      now,
      random,
      after,
      changed,
      held,
      way: ({ id, hops, remote }) =>
        remote.kind === 'server' ? lead.to(id) : hosts.take(sshTarget(hops, this.keys), remote),
      identity: (replica) => replicaIdentity(replica, this.keys),
    };
  }

  find(id: string): LiveService | undefined {
    return this.services.get(id);
  }

  socketPath(serviceId: string): string {
    return join(this.parts.directory, `${serviceName(serviceId)}.sock`);
  }

  replicaStatus(serviceId: string): ReplicaStatus[] {
    return this.services.get(serviceId)?.replicaStatus() ?? [];
  }

  /** Those that are new listen; those that end go on until `dropOthers`. */
  async follow({ services, keys }: Pick<GatewayState, 'services' | 'keys'>): Promise<void> {
    this.keys = new Map(keys.map(({ id, privateKey }) => [id, privateKey]));
    await mkdir(this.parts.directory, { recursive: true, mode: 0o711 });
    for (const service of services) {
      const known = this.services.get(service.id);
      if (known !== undefined) {
        known.update(service);
        continue;
      }
      const former = this.parts.former[service.id];
      const made = new LiveService(service, this.socketPath(service.id), this.tools, former);
      this.services.set(service.id, made);
      await made.listen(this.parts.sockets);
    }
  }

  /** Once nobody is sent there any more. Sockets of services that ended while no program ran go too. */
  async dropOthers(services: GatewayState['services']): Promise<void> {
    const wanted = new Set(services.map(({ id }) => id));
    for (const [id, service] of this.services) {
      if (wanted.has(id)) continue;
      this.services.delete(id);
      await service.close();
    }
    const { directory } = this.parts;
    const known = new Set([...this.services.values()].map(({ socketPath }) => socketPath));
    for (const name of await readdir(directory)) {
      const path = join(directory, name);
      if (!known.has(path)) await rm(path, { force: true });
    }
  }

  /** @param from,until Unix seconds: from the first on, without the last */
  stats(from: number, until: number, connections: ReadonlyMap<string, number>): ServiceStats[] {
    return [...this.services].map(([serviceId, service]) => ({
      serviceId,
      traffic: service.report(connections),
      seconds: service.secondsBetween(from, until),
    }));
  }

  countTunnelled({ host, tunnel, ms, status }: CountedLine): void {
    for (const service of this.services.values())
      if (service.service.host === host) service.countTunnelled(tunnel, ms, status);
  }

  /** For nginx: the way past this program. */
  laneReplicas(serviceId: string): LaneReplica[] {
    return this.services.get(serviceId)?.laneReplicas() ?? [];
  }

  counted(): CountedTraffic {
    return Object.fromEntries([...this.services].map(([id, service]) => [id, service.secondsBetween(0, Infinity)]));
  }

  /** Another program listens at the same paths. Resolves when what was under way here has ended. */
  async handOver(): Promise<void> {
    await Promise.all([...this.services.values()].map((service) => service.handOver()));
  }
}
