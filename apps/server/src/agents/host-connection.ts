import { type AgentInfo, commonProtocol, type ControlEvent, PROTOCOL, StaleEpochError } from '@dstack/agent-protocol';
import type { AgentAddress } from '@dstack/backend-base';
import { kindOfOffer } from '@dstack/core';
import { Logger } from '@nestjs/common';
import type { InstanceHealth } from '../instances/instance-health.js';
import type { InstanceRecord } from '../instances/instance-record.js';
import { findJobsOn } from '../jobs/job-record.js';
import type { MetricsStore } from '../metrics/metrics-store.js';
import type { ReadTogether, WriteTogether } from '../persistence/together.js';
import { armPowerOff } from './arm-power-off.js';
import type { AgentConnector, ConnectedAgent } from './agent-connector.js';
import type { AgentRegistry } from './agent-registry.js';
import type { ConnectionKeeper } from './connection-keeper.js';
import { releaseConnection, takeConnection } from './connection-lease.js';
import type { JobStates } from './job-states.js';
import { jobsThatOweLogs, type LiveJob, liveJobsOn } from './live-jobs.js';
import { LogPumps, type LogPumpTools } from './log-pumps.js';
import { markConnected, markUnreachable } from './mark-connection.js';
import { ServerAccess, type ServerAccessTools } from './server-access.js';

export interface ConnectionTools extends LogPumpTools, ServerAccessTools {
  /** Shared by all connections of this server: hosts that come at the same time are read and written together, each kind of write by itself. */
  readonly reading: ReadTogether;
  readonly taking: WriteTogether;
  readonly marking: WriteTogether;
  readonly holder: string;
  readonly keeper: ConnectionKeeper;
  readonly connector: AgentConnector;
  readonly registry: AgentRegistry;
  readonly jobStates: JobStates;
  readonly metrics: Pick<MetricsStore, 'record'>;
  readonly health: Pick<InstanceHealth, 'record'>;
}

interface Greeted {
  readonly info: AgentInfo;
  /** Over, with the end of their logs there. */
  readonly owing: readonly LiveJob[];
}

const RETRY_MIN_MS = 100;
/** On this machine trying costs nothing; over a network many hosts may be lost at once. */
const RETRY_MAX_MS = { unix: 5_000, ssh: 30_000 } as const;

/**
 * The one control connection to one host, for as long as the instance lives and this server holds its lease. Every attempt takes a
 * higher epoch, so whatever an earlier attempt still has under way is refused by the agent.
 */
export class HostConnection {
  private readonly log = new Logger('Agents');
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;
  private pumps: LogPumps | null = null;
  private access: ServerAccess | null = null;

  constructor(
    private readonly instanceId: string,
    private readonly tools: ConnectionTools,
    onEnd: () => void,
  ) {
    this.done = this.run().finally(onEnd);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the server stops'));
    await this.done;
  }

  /** A job was sent to the agent, or has started to run, since the connection was made. */
  async refreshJobs(): Promise<void> {
    const { pumps, access } = this;
    if (pumps === null || access === null) return;
    for (const { callsServer, ...job } of await this.liveJobs()) {
      pumps.ensure(job);
      if (callsServer) access.ensure(job.jobId);
    }
  }

  private async run(): Promise<void> {
    let delayMs = RETRY_MIN_MS;
    let longestMs: number = RETRY_MAX_MS.unix;
    while (!this.stopping.signal.aborted) {
      try {
        const instance = await takeConnection(this.tools.taking, this.instanceId, this.tools.holder);
        const address = instance?.machine?.agent ?? null;
        if (instance === null || address === null || isBeingCleared(instance)) return;
        longestMs = RETRY_MAX_MS[address.via];
        await this.hold(instance, address, () => {
          delayMs = RETRY_MIN_MS;
        });
      } catch (error) {
        if (this.stopping.signal.aborted) break;
        if (error instanceof StaleEpochError) return;
        this.log.debug(
          `Instance ${this.instanceId} cannot be reached: ${error instanceof Error ? error.message : String(error)}`,
        );
        await this.markUnreachable(error).catch((again: unknown) =>
          this.log.error('Could not mark an instance unreachable', String(again)),
        );
      }
      const spreadMs = delayMs * (0.5 + this.tools.world.random.next() / 2);
      await this.tools.world.scheduler.sleep(spreadMs, this.stopping.signal).catch(() => undefined);
      delayMs = Math.min(longestMs, delayMs * 2);
      // While the database is away nobody knows; to take the connection will tell.
      if (!(await this.isWanted().catch(() => true))) return;
    }
  }

  /** Until the connection breaks (throws) or the server stops (returns). */
  private async hold(instance: InstanceRecord, address: AgentAddress, onConnected: () => void): Promise<void> {
    const { tools } = this;
    const over = new AbortController();
    const signal = AbortSignal.any([this.stopping.signal, over.signal]);
    const letGo = tools.keeper.keep({
      instanceId: instance.id,
      epoch: instance.connectionEpoch,
      onLost: (reason) => over.abort(reason),
    });
    let connected: ConnectedAgent | null = null;
    try {
      const target = {
        instanceId: instance.id,
        address,
        kind: kindOfOffer(instance.offer),
        epoch: instance.connectionEpoch,
      };
      connected = await tools.connector.connect(target, signal);
      const { info, owing } = await this.greet(connected, instance, signal);
      const powerOffAfterMs = await armPowerOff(tools, connected.api, instance, signal);
      tools.registry.set(instance.id, connected.api);
      this.pumps = new LogPumps(connected.api, tools, signal);
      this.access = new ServerAccess(connected.api, tools, signal);
      await this.markConnected(info, powerOffAfterMs);
      onConnected();
      await this.refreshJobs();
      for (const job of owing) this.pumps.ensure(job);
      for await (const event of connected.api.events(signal)) await this.take(event);
    } finally {
      over.abort(new Error('the connection is over'));
      this.pumps = null;
      this.access = null;
      letGo();
      if (connected !== null) {
        tools.registry.delete(instance.id, connected.api);
        connected.close();
      }
      if (this.stopping.signal.aborted) {
        await releaseConnection(tools.db, instance.id, instance.connectionEpoch, tools.holder).catch(() => undefined);
      }
    }
  }

  /** Says which jobs there should be; what the host has beyond them is removed there. */
  private async greet({ api }: ConnectedAgent, instance: InstanceRecord, signal: AbortSignal): Promise<Greeted> {
    const info = await api.info(signal);
    if (commonProtocol(PROTOCOL, info.protocol) === null) throw new StrangeAgentError(info);
    // In this order: one that ends in between is among the latter.
    const jobs = await this.tools.reading.run((tx) => findJobsOn(tx, instance.id));
    const owing = await this.tools.reading.run((tx) => jobsThatOweLogs(tx, instance.id));
    const { missing } = await api.desire([...jobs.map((job) => job.id), ...owing.map((job) => job.jobId)], signal);
    await this.tools.jobStates.missing(instance.id, missing, this.tools.world.clock.now());
    return { info, owing };
  }

  private markConnected(info: AgentInfo, powerOffAfterMs: number | null): Promise<void> {
    const { marking, wake } = this.tools;
    return marking.run((tx) => markConnected(tx, wake, this.instanceId, { info, powerOffAfterMs }));
  }

  private markUnreachable(cause: unknown): Promise<void> {
    const { db, wake, holder } = this.tools;
    return db.write((tx) => markUnreachable(tx, wake, this.instanceId, { holder, cause }));
  }

  private async take(event: ControlEvent): Promise<void> {
    switch (event.type) {
      case 'snapshot':
        return this.tools.jobStates.record(this.instanceId, event.jobs);
      case 'job':
        return this.tools.jobStates.record(this.instanceId, [event.job]);
      case 'metrics':
        await this.tools.metrics.record(event.jobId, event.at, event.metrics).catch((error: unknown) => {
          this.log.warn(`A metrics point was lost: ${error instanceof Error ? error.message : String(error)}`);
        });
        return;
      case 'health':
        return this.tools.health.record(this.instanceId, event.at, event.health);
      case 'heartbeat':
        return;
    }
  }

  private async isWanted(): Promise<boolean> {
    const rows = await this.tools.db.read((tx) =>
      tx.query(`SELECT id FROM instances WHERE id = ? AND deleted = ? AND status <> 'terminated'`, [
        this.instanceId,
        false,
      ]),
    );
    return rows.length > 0;
  }

  private liveJobs(): Promise<readonly LiveJob[]> {
    return this.tools.reading.run((tx) => liveJobsOn(tx, this.instanceId));
  }
}

/** The agent is too old or too new for this server. */
class StrangeAgentError extends Error {
  override readonly name = 'StrangeAgentError';
  constructor({ version, protocol }: AgentInfo) {
    super(
      `the agent ${version} there speaks versions ${protocol.min} to ${protocol.max} of the protocol, this server ${PROTOCOL.min} to ` +
        `${PROTOCOL.max}: remove the host and add it again, or start the server of the agent's version first`,
    );
  }
}

/** Its agent is being removed, and connecting would start it again. Nothing is fetched from it any more: it had no jobs. */
function isBeingCleared({ hostName, status }: InstanceRecord): boolean {
  return hostName !== null && status === 'terminating';
}
