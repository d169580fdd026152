import { hostOffer } from '@dstack/core';
import { Hosts, type InstalledAgent, type ReadyHost } from '@dstack/server/parts';
import type { Faults } from './faults.js';
import type { RandomSource } from './random-source.js';
import type { ServerEpoch } from './server-epoch.js';
import { SimulatedAgent } from './simulated-agent.js';
import type { SpoolWatch } from './simulated-job.js';
import type { Story } from './story.js';
import type { VirtualTime } from './virtual-time.js';

/** What somebody has to repair before the host can be used. */
class BrokenHostError extends Error {
  override readonly name = 'BrokenHostError';
  readonly lasting = true;
}

const BLOCKS = 2;
const NOTHING = async (): Promise<void> => undefined;

/** Hosts that users give: slow to reach, sometimes broken, and away for a while. */
export class SimulatedHosts {
  private readonly agents = new Map<string, SimulatedAgent>();

  constructor(
    /** The host of an instance, as the fleet names it. */
    private readonly nameOf: (instanceId: string) => string,
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly faults: Faults,
    private readonly story: Story,
    private readonly spools: SpoolWatch,
  ) {}

  /** Names of the hosts that have an agent. */
  get inhabited(): readonly string[] {
    return [...this.agents.keys()];
  }

  agentAt(socketPath: string): SimulatedAgent | null {
    return this.agents.get(socketPath) ?? null;
  }

  /** The hosts as one life of the server sees them. */
  for(epoch: ServerEpoch): Hosts {
    const visit = <T>(what: string, instanceId: string, effect: (host: string) => T, onReached = NOTHING): Promise<T> =>
      this.visit(epoch, `${what} ${this.nameOf(instanceId)}`, this.nameOf(instanceId), onReached, effect);
    return new (class extends Hosts {
      constructor(private readonly hosts: SimulatedHosts) {
        super();
      }

      override onboard(instanceId: string, onReached: () => Promise<void>): Promise<ReadyHost> {
        return visit('onboard', instanceId, (host) => this.hosts.onboard(host), onReached);
      }

      override installAgent(): Promise<InstalledAgent> {
        return Promise.reject(new Error('simulated machines come with an agent'));
      }

      override replaceAgent(): Promise<string> {
        return Promise.reject(new Error('the simulated server has one agent'));
      }

      override offboard(instanceId: string): Promise<void> {
        return visit('offboard', instanceId, (host) => this.hosts.offboard(host));
      }

      override agentDigest(): string | null {
        return null;
      }
    })(this);
  }

  private async visit<T>(
    epoch: ServerEpoch,
    name: string,
    host: string,
    onReached: () => Promise<void>,
    effect: (host: string) => T,
  ): Promise<T> {
    await epoch.pass(`before ${name}`);
    await epoch.sleep(this.random.between(50, 2_000));
    const isAway = this.agents.get(host)?.isAway === true;
    if (isAway || this.random.chance(this.faults.lostRequest)) return this.silence(epoch, `${name} is not reached`);
    await onReached();
    const result = effect(host);
    await epoch.pass(`between ${name} and its answer`);
    if (this.random.chance(this.faults.lostReply)) return this.silence(epoch, `${name} loses its answer`);
    await epoch.sleep(this.random.between(50, 5_000));
    await epoch.pass(`after ${name}`);
    return result;
  }

  private async silence(epoch: ServerEpoch, text: string): Promise<never> {
    this.story.tell(`host: ${text}`);
    await epoch.sleep(this.random.between(1_000, 20_000));
    throw new Error(text);
  }

  private onboard(host: string): ReadyHost {
    if (this.random.chance(this.faults.brokenHost)) {
      this.story.tell(`host: ${host} is broken`);
      throw new BrokenHostError(`${host}: somebody has to repair it`);
    }
    if (!this.agents.has(host)) {
      const agent = new SimulatedAgent(host, this.time, this.random, this.faults, this.story, this.spools);
      this.agents.set(host, agent);
      agent.start();
      this.story.tell(`host: ${host} has an agent`);
    }
    return readyHost(host);
  }

  private offboard(host: string): void {
    this.agents.get(host)?.destroy();
    if (this.agents.delete(host)) this.story.tell(`host: ${host} has no agent any more`);
  }
}

function readyHost(host: string): ReadyHost {
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
      agent: { via: 'unix', socketPath: host },
      hostname: host,
      internalIp: null,
      terminateFailures: 0,
      nextTerminateAt: null,
    },
  };
}
