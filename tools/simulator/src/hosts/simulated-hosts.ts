import { hostOffer } from '@dstack/core';
import { Hosts, type InstalledAgent, type ReadyHost } from '@dstack/server/parts';
import { NO_ANSWER } from '../network.js';
import type { ServerEpoch } from '../servers/server-epoch.js';
import type { Surroundings } from '../surroundings.js';
import type { AddressOf } from './agent-address.js';
import { SimulatedAgent } from './simulated-agent.js';

/** What somebody has to repair before the host can be used. */
class BrokenHostError extends Error {
  override readonly name = 'BrokenHostError';
  readonly lasting = true;
}

/** As the script on a real host finds that it was let go for its instance. */
class LetGoError extends Error {
  override readonly name = 'LetGoError';
  readonly lasting = true;
}

const BLOCKS = 2;
const TIMEOUT_MS = 20_000;

/** Hosts that users give: slow to reach, sometimes broken, and away for a while. */
export class SimulatedHosts {
  private readonly agents = new Map<string, SimulatedAgent>();
  /** Instances that their host was let go for, and whom each host's agent was put there for. */
  private readonly letGo = new Set<string>();
  private readonly tenants = new Map<string, string>();

  constructor(
    /** The host of an instance, as the fleet names it. */
    private readonly hostOf: (instanceId: string) => string,
    private readonly around: Surroundings,
  ) {}

  /** Names of the hosts that have an agent. */
  get inhabited(): readonly string[] {
    return [...this.agents.keys()];
  }

  get everyAgent(): readonly SimulatedAgent[] {
    return [...this.agents.values()];
  }

  agentAt(socketPath: string): SimulatedAgent | null {
    return this.agents.get(socketPath) ?? null;
  }

  /** The hosts as one life of a server sees them. */
  for(server: ServerEpoch): Hosts {
    return new HostsOfServer(
      (instanceId) => this.hostOf(instanceId),
      (what, host, signal, effect) => this.visit(server, `${host}: ${what}`, host, signal, effect),
      (host, instanceId) => this.onboard(host, instanceId),
      (host, instanceId) => this.offboard(host, instanceId),
    );
  }

  private visit<T>(server: ServerEpoch, name: string, host: string, signal: AbortSignal, effect: () => T): Promise<T> {
    return this.around.network.send({
      name,
      server,
      signal,
      travelMs: [50, 2_000],
      answerMs: [50, 5_000],
      timeoutMs: () => TIMEOUT_MS,
      onTimeout: (what) => new Error(what),
      isPassedOn: false,
      isRepeatable: false,
      effect: () => (this.agents.get(host)?.isAway === true ? NO_ANSWER : effect()),
    });
  }

  private onboard(host: string, instanceId: string): ReadyHost {
    const { random, faults, story } = this.around;
    if (random.chance(faults.brokenHost)) {
      story.tell(`${host}: is broken`);
      throw new BrokenHostError(`${host}: somebody has to repair it`);
    }
    if (this.letGo.has(instanceId)) {
      story.tell(`${host}: is not prepared, as it was let go`);
      throw new LetGoError(`${host}: it was let go`);
    }
    this.tenants.set(host, instanceId);
    if (!this.agents.has(host)) {
      const agent = new SimulatedAgent(host, this.around);
      this.agents.set(host, agent);
      agent.start();
      story.tell(`${host}: has an agent`);
    }
    return readyHost(host, this.around.addressOf);
  }

  private offboard(host: string, instanceId: string): void {
    this.letGo.add(instanceId);
    if ((this.tenants.get(host) ?? instanceId) !== instanceId) return;
    this.tenants.delete(host);
    this.agents.get(host)?.destroy();
    if (this.agents.delete(host)) this.around.story.tell(`${host}: has no agent any more`);
  }
}

class HostsOfServer extends Hosts {
  constructor(
    private readonly hostOf: (instanceId: string) => string,
    private readonly visit: <T>(what: string, host: string, signal: AbortSignal, effect: () => T) => Promise<T>,
    private readonly install: (host: string, instanceId: string) => ReadyHost,
    private readonly clear: (host: string, instanceId: string) => void,
  ) {
    super();
  }

  override async onboard(instanceId: string, onReached: () => Promise<void>, signal: AbortSignal): Promise<ReadyHost> {
    const host = this.hostOf(instanceId);
    await this.visit('reach', host, signal, () => undefined);
    await onReached();
    return this.visit('onboard', host, signal, () => this.install(host, instanceId));
  }

  override installAgent(): Promise<InstalledAgent> {
    return Promise.reject(new Error('simulated machines come with an agent'));
  }

  override replaceAgent(): Promise<string> {
    return Promise.reject(new Error('the simulated server has one agent'));
  }

  override async offboard(instanceId: string, signal: AbortSignal): Promise<void> {
    const host = this.hostOf(instanceId);
    await this.visit('offboard', host, signal, () => this.clear(host, instanceId));
  }

  override agentDigest(): string | null {
    return null;
  }
}

function readyHost(host: string, addressOf: AddressOf): ReadyHost {
  const found = { arch: 'x86' as const, cpus: 8, memoryBytes: 32 * 1024 ** 3, diskFreeBytes: 100 * 1024 ** 3 };
  const offered = hostOffer({ blocks: BLOCKS, internalIp: null, network: null }, { ...found, gpus: [], addresses: [] });
  if (!offered.ok) throw new Error(offered.problem);
  return {
    offer: offered.offer,
    blocks: offered.blocks,
    machine: {
      ref: { cloudName: host, machineId: null, region: 'remote', zone: null, backendData: null },
      state: 'ready',
      message: null,
      agent: addressOf(host),
      hostname: host,
      internalIp: null,
      terminateFailures: 0,
      nextTerminateAt: null,
    },
  };
}
