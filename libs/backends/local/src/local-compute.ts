import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BackendError,
  callSignal,
  KeyedLock,
  type Attempt,
  type Call,
  type Compute,
  type ListedMachine,
  type MachineRef,
  type MachineState,
  type OfferQuery,
  type Termination,
} from '@dstack/backend-base';
import type { Offer } from '@dstack/core';
import { claimAllocation, freeAllocation, shapeAllocation, type Allocation } from './allocation.js';
import { answers, liveAgentPids, signalAgent, spawnAgent } from './agent-process.js';
import { InstanceDirectory, listDirectories, type InstanceRecord } from './instance-directory.js';
import { listProcesses, processesOf } from './process-table.js';
import type { LocalMachine } from './local-machine.js';
import { allocationOfOffer, localOffer } from './local-offer.js';

export interface LocalComputeOptions {
  readonly machine: LocalMachine;
  /** `<server directory>/local` */
  readonly rootDirectory: string;
  /** How the agent is started; `host --dir DIR` is appended. */
  readonly agentCommand: readonly string[];
  readonly now: () => number;
  /** What jobs may run as; `auto` decides per configuration. */
  readonly runtime?: 'auto' | 'container' | 'process';
  /** Where jobs have their files, by instance. Default: below the instance's directory, or `/var/lib/dstack-jobs` for root. */
  readonly jobsDirectory?: string;
  /** How long a terminated agent may take to stop its jobs. */
  readonly gracePeriodMs?: number;
}

const GRACE_PERIOD_MS = 10_000;
const QUICK_DEATH_MS = 10_000;
const MAX_QUICK_DEATHS = 5;
const EXIT_POLL_MS = 25;
const ROOT_JOBS_DIRECTORY = '/var/lib/dstack-jobs';

/** This machine as a cloud: an instance is one agent with its directory, and the directory is the truth. */
export class LocalCompute implements Compute {
  // Names are created, looked at and removed one at a time; allocations are handed out one at a time.
  private readonly lock = new KeyedLock();

  readonly runtimes: NonNullable<Compute['runtimes']>;

  constructor(private readonly options: LocalComputeOptions) {
    this.runtimes = {
      available: { container: options.machine.dockerSocket !== null, process: true },
      preference: options.runtime ?? 'auto',
    };
  }

  async offers(query: OfferQuery, call: Call): Promise<Offer[]> {
    callSignal(call);
    const { machine } = this.options;
    const held = await this.held();
    const { resources } = query.requirements;
    const wantedArch = resources.cpu?.arch ?? null;
    const shaped = shapeAllocation(machine, held, resources);
    if (!query.fullOffers || shaped.lacks !== null)
      return [localOffer(machine, shaped, { wantedArch, lacks: shaped.lacks })];
    return [localOffer(machine, freeAllocation(machine, query.unallocated ? held : []), { wantedArch, lacks: null })];
  }

  async create(attempt: Attempt, call: Call): Promise<MachineState> {
    const signal = callSignal(call);
    const directory = this.directory(attempt.cloudName);
    return this.lock.run(directory.path, async () => {
      signal.throwIfAborted();
      const existing = await directory.record();
      if (existing === null) await this.allocate(directory, attempt);
      else if (existing.token !== attempt.token) {
        throw new BackendError(
          { kind: 'rejected', blocks: 'offer' },
          `a local instance ${attempt.cloudName} exists already`,
        );
      }
      return this.observe(directory);
    });
  }

  async get(ref: MachineRef, call: Call): Promise<MachineState> {
    callSignal(call);
    const directory = this.directory(ref.cloudName);
    return this.lock.run(directory.path, () => this.observe(directory));
  }

  async list(owner: string, call: Call): Promise<ListedMachine[]> {
    callSignal(call);
    const all = await this.records();
    return all
      .filter(({ record }) => record.owner === owner)
      .map(({ directory, record }) => ({
        ref: refOf(directory),
        owner,
        token: record.token,
        createdAt: record.createdAt,
      }));
  }

  async terminate(ref: MachineRef, call: Call): Promise<Termination> {
    callSignal(call);
    const directory = this.directory(ref.cloudName);
    return this.lock.run(directory.path, () => this.remove(directory, call));
  }

  private directory(cloudName: string): InstanceDirectory {
    return new InstanceDirectory(this.options.rootDirectory, cloudName);
  }

  private async allocate(directory: InstanceDirectory, attempt: Attempt): Promise<void> {
    const { machine, now } = this.options;
    const wanted = allocationOfOffer(attempt.offer);
    await this.lock.run('allocations', async () => {
      const claim = claimAllocation(machine, await this.held(), wanted);
      if (!claim.ok) {
        throw new BackendError({ kind: 'no-capacity', blocks: 'region' }, `this machine is full: ${claim.lacks}`);
      }
      const { owner, token } = attempt;
      const allocation = copy(claim.allocation);
      await directory.writeRecord({ owner, token, allocation, createdAt: now(), terminatingSince: null });
    });
  }

  /** The state of an instance; a dead agent is started again, as an init system would. */
  private async observe(directory: InstanceDirectory): Promise<MachineState> {
    const record = await directory.record();
    if (record === null) return { state: 'gone' };
    const ref = refOf(directory);
    if (record.terminatingSince !== null) return { state: 'failed', ref, message: 'the instance is being terminated' };
    if ((await liveAgentPids(directory)).length === 0) return this.revive(directory, ref, record.allocation.gpus);
    if (!(await answers(directory.socketPath))) return { state: 'pending', ref, reason: 'the agent is starting' };
    return {
      state: 'ready',
      ref,
      agent: { via: 'unix', socketPath: directory.socketPath },
      hostname: this.options.machine.hostname,
      internalIp: '127.0.0.1',
    };
  }

  private async revive(directory: InstanceDirectory, ref: MachineRef, gpus: readonly number[]): Promise<MachineState> {
    const last = await directory.agent();
    const diedQuickly = last !== null && this.options.now() - last.spawnedAt < QUICK_DEATH_MS;
    const quickDeaths = diedQuickly ? last.quickDeaths + 1 : 0;
    if (quickDeaths >= MAX_QUICK_DEATHS) {
      const line = await directory.lastLogLine();
      return { state: 'failed', ref, message: `the agent ended ${quickDeaths} times right after its start: ${line}` };
    }
    const workDirectory = this.workDirectory(directory);
    await spawnAgent(this.options.agentCommand, directory, { quickDeaths, gpus, workDirectory });
    return { state: 'pending', ref, reason: 'the agent is starting' };
  }

  private async remove(directory: InstanceDirectory, call: Call): Promise<Termination> {
    const record = await directory.record();
    const since = record?.terminatingSince ?? this.options.now();
    // The mark comes first: whatever happens then, nobody starts the agent again.
    if (record !== null && record.terminatingSince === null)
      await directory.writeRecord({ ...record, terminatingSince: since });
    if (!(await this.stopAgents(directory, since, call))) return 'pending';
    if (record !== null && !(await this.killLeftovers(directory, call))) return 'pending';
    const workDirectory = this.workDirectory(directory);
    if (workDirectory !== null) await rm(workDirectory, { recursive: true, force: true });
    await directory.remove();
    return 'done';
  }

  // An agent that ends leaves its jobs to the agent that follows; here none follows.
  private async killLeftovers(directory: InstanceDirectory, call: Call): Promise<boolean> {
    const jobIds = await directory.jobIds();
    for (;;) {
      const pids = processesOf(await listProcesses(), { directory: directory.path, jobIds });
      if (pids.length === 0) return true;
      if (call.signal.aborted || Date.now() >= call.deadline - EXIT_POLL_MS) return false;
      for (const pid of pids) signalAgent(pid, 'SIGKILL');
      await sleep(EXIT_POLL_MS);
    }
  }

  /** Jobs of a root server run as other users, who could not pass through our directory. */
  private workDirectory(directory: InstanceDirectory): string | null {
    const { jobsDirectory } = this.options;
    if (jobsDirectory !== undefined) return join(jobsDirectory, directory.cloudName);
    return process.getuid?.() === 0 ? join(ROOT_JOBS_DIRECTORY, directory.cloudName) : null;
  }

  private async stopAgents(directory: InstanceDirectory, since: number, call: Call): Promise<boolean> {
    const killAt = since + (this.options.gracePeriodMs ?? GRACE_PERIOD_MS);
    const pids = await liveAgentPids(directory);
    for (const pid of pids) signalAgent(pid, 'SIGTERM');
    while ((await liveAgentPids(directory)).length > 0) {
      if (call.signal.aborted || Date.now() >= call.deadline - EXIT_POLL_MS) return false;
      if (this.options.now() >= killAt) for (const pid of pids) signalAgent(pid, 'SIGKILL');
      await sleep(EXIT_POLL_MS);
    }
    return true;
  }

  private async held(): Promise<Allocation[]> {
    return (await this.records()).map(({ record }) => record.allocation);
  }

  private async records(): Promise<{ directory: InstanceDirectory; record: InstanceRecord }[]> {
    const directories = await listDirectories(this.options.rootDirectory);
    const all = await Promise.all(
      directories.map(async (directory) => ({ directory, record: await directory.record() })),
    );
    return all.flatMap(({ directory, record }) => (record === null ? [] : [{ directory, record }]));
  }
}

function refOf(directory: InstanceDirectory): MachineRef {
  const { cloudName } = directory;
  return { cloudName, machineId: cloudName, region: 'local', zone: null, backendData: null };
}

function copy(allocation: Allocation): InstanceRecord['allocation'] {
  return { ...allocation, gpus: [...allocation.gpus] };
}
