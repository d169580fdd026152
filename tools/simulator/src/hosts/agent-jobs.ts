import { AgentRequestError, type JobStart, type JobState, type LogStream } from '@dstack/agent-protocol';
import type { MachineKind } from '@dstack/core';
import type { Surroundings } from '../surroundings.js';
import type { WallClock } from '../time/wall-clock.js';
import { SimulatedJob } from './simulated-job.js';

/** The jobs of one agent; they outlive its restarts. */
export class AgentJobs {
  private readonly jobs = new Map<string, SimulatedJob>();
  private startedCount = 0;

  constructor(
    private readonly agentId: string,
    private readonly kind: MachineKind,
    private readonly around: Surroundings,
    private readonly clock: WallClock,
    private readonly onChange: () => void,
  ) {}

  get states(): JobState[] {
    return [...this.jobs.values()].map((job) => job.state);
  }

  get unfinishedIds(): string[] {
    return [...this.jobs.values()].filter((job) => !job.isFinished).map((job) => job.start.id);
  }

  /** @throws {AgentRequestError} when there is no such job */
  known(jobId: string): SimulatedJob {
    const job = this.jobs.get(jobId);
    if (job === undefined) throw new AgentRequestError(404, 'not_found', `no job ${jobId}`);
    return job;
  }

  start(start: JobStart): JobState {
    const known = this.jobs.get(start.id);
    if (known !== undefined) return known.state;
    this.around.story.tell(`${this.agentId}: starts ${start.id}`);
    this.startedCount += 1;
    for (const mount of start.container?.mounts ?? [])
      if (mount.kind === 'volume' && !this.around.isVolumeAt(mount.volumeId, this.agentId))
        this.around.story.violate(`job ${start.id} starts on ${this.agentId} without its volume ${mount.name}`);
    if (this.kind === 'containers' && this.startedCount > 1)
      this.around.story.violate(`${this.agentId} is a container, and gets a second job: ${start.id}`);
    const job = new SimulatedJob(start, this.around, this.clock, this.onChange);
    this.around.watch.started(start, this.agentId, job.spools);
    this.jobs.set(start.id, job);
    return job.state;
  }

  remove(jobId: string): void {
    this.jobs.get(jobId)?.remove();
    if (this.jobs.delete(jobId)) this.around.story.tell(`${this.agentId}: removes ${jobId}`);
    this.onChange();
  }

  /** Returns those it does not know; what it has beyond them is removed. */
  desire(jobIds: readonly string[]): string[] {
    for (const id of [...this.jobs.keys()]) if (!jobIds.includes(id)) this.remove(id);
    return jobIds.filter((id) => !this.jobs.has(id));
  }

  acknowledge(jobId: string, stream: LogStream, offset: number): void {
    const spool = this.known(jobId).spools[stream];
    this.around.watch.acknowledged(spool, offset);
    spool.acknowledged = Math.max(spool.acknowledged, offset);
    this.onChange();
  }

  /** The machine is gone, and with it what they printed. */
  destroy(): void {
    for (const job of this.jobs.values()) job.remove();
  }
}
