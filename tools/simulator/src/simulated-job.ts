import type { JobEndReason, JobPhase, JobStart, JobState, LogStream, StopRequest } from '@dstack/agent-protocol';
import type { RandomSource } from './random-source.js';
import type { VirtualTime } from './virtual-time.js';

/** What outlives an agent in the world's memory: everything a job printed, and how much of it the server said it has. */
export interface Spool {
  readonly jobId: string;
  readonly stream: LogStream;
  content: Buffer;
  acknowledged: number;
}

export interface SpoolWatch {
  opened(spool: Spool): void;
  /** Before the agent takes an acknowledgement for true. */
  acknowledged(spool: Spool, offset: number): void;
}

/** One job on one host: it prepares, runs for a drawn time, prints, and ends with a drawn exit status. */
export class SimulatedJob {
  readonly spools: Readonly<Record<LogStream, Spool>>;
  private revision = 1;
  private phase: JobPhase = 'preparing';
  private phaseAt: number;
  private ending: Partial<JobState> = {};
  private runningAt: number | null = null;
  private isRemoved = false;

  constructor(
    readonly start: JobStart,
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly onChange: () => void,
    watch: SpoolWatch,
  ) {
    this.phaseAt = time.now();
    const spool = (stream: LogStream): Spool => ({
      jobId: start.id,
      stream,
      content: Buffer.alloc(0),
      acknowledged: 0,
    });
    this.spools = { job: spool('job'), runner: spool('runner') };
    watch.opened(this.spools.job);
    watch.opened(this.spools.runner);
    this.print('runner', `preparing ${start.jobName}\n`);
    const phases: JobPhase[] = start.runtime === 'container' ? ['pulling', 'creating', 'starting'] : ['starting'];
    let delayMs = 0;
    for (const phase of phases) {
      delayMs += random.between(50, 4_000);
      time.after(delayMs, () => this.advance(phase));
    }
    time.after(delayMs + random.between(50, 1_000), () => this.run());
  }

  get isFinished(): boolean {
    return this.phase === 'finished';
  }

  get state(): JobState {
    return {
      id: this.start.id,
      revision: this.revision,
      phase: this.phase,
      phaseAt: this.phaseAt,
      ...(this.runningAt === null ? {} : { runningAt: this.runningAt }),
      ...this.ending,
    };
  }

  stop({ mode, graceSeconds, reason }: StopRequest): void {
    if (this.isFinished) return;
    if (mode === 'kill' || this.phase !== 'running') {
      if (mode === 'kill' || this.phase !== 'stopping') this.finish(137, reason);
      return;
    }
    this.advance('stopping');
    const isObedient = this.random.chance(0.7);
    if (isObedient) this.time.after(this.random.between(100, 8_000), () => this.finish(0, reason));
    if (graceSeconds !== null) this.time.after(graceSeconds * 1000, () => this.finish(137, reason));
  }

  remove(): void {
    this.isRemoved = true;
  }

  private run(): void {
    if (this.phase === 'finished' || this.phase === 'stopping') return;
    this.runningAt = this.time.now();
    this.advance('running');
    const lifeMs = this.random.chance(0.1) ? 600_000 : this.random.between(500, 90_000);
    const exitStatus = this.random.chance(0.7) ? 0 : this.random.whole(1, 3);
    const limitMs = (this.start.maxDurationSeconds ?? Infinity) * 1000;
    if (limitMs < lifeMs) this.time.after(limitMs, () => this.finish(137, 'max_duration_exceeded'));
    else {
      const reason = exitStatus === 0 ? 'done_by_runner' : 'container_exited_with_error';
      this.time.after(lifeMs, () => this.finish(exitStatus, reason));
    }
    this.printOn();
  }

  private printOn(): void {
    if (this.isFinished || this.isRemoved) return;
    this.print('job', `${this.start.id} at ${this.time.now()} ${'x'.repeat(this.random.whole(0, 200))}\n`);
    this.time.after(this.random.between(500, 12_000), () => this.printOn());
  }

  private print(stream: LogStream, text: string): void {
    const spool = this.spools[stream];
    spool.content = Buffer.concat([spool.content, Buffer.from(text)]);
    this.onChange();
  }

  private advance(phase: JobPhase): void {
    if (this.isFinished || this.isRemoved || (this.phase === 'stopping' && phase !== 'finished')) return;
    this.phase = phase;
    this.phaseAt = this.time.now();
    this.revision += 1;
    this.onChange();
  }

  private finish(exitStatus: number, reason: JobEndReason): void {
    if (this.isFinished || this.isRemoved) return;
    this.print('job', 'last words\n');
    this.ending = {
      finishedAt: this.time.now(),
      exitStatus,
      reason,
      logEnd: { job: this.spools.job.content.length, runner: this.spools.runner.content.length },
    };
    this.advance('finished');
  }
}
