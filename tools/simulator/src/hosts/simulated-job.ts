import type { JobEndReason, JobPhase, JobStart, JobState, LogStream, StopRequest } from '@dstack/agent-protocol';
import type { Surroundings } from '../surroundings.js';
import type { WallClock } from '../time/wall-clock.js';
import type { Spool } from './job-watch.js';

/** Where the agent opens a way for gateways. */
const SERVICE_PORT = 41_000;

/** One job on one host: it prepares, runs for a drawn time, prints, and ends with a drawn exit status. */
export class SimulatedJob {
  readonly spools: Readonly<Record<LogStream, Spool>>;
  private revision = 1;
  private phase: JobPhase = 'preparing';
  private phaseAt: number;
  private ending: Partial<JobState> = {};
  /** By the host's own clock, which may be wrong. */
  private runningAt: number | null = null;
  private began: number | null = null;
  private isRemoved = false;

  constructor(
    readonly start: JobStart,
    private readonly around: Surroundings,
    private readonly clock: WallClock,
    private readonly onChange: () => void,
  ) {
    const { time, random } = around;
    this.phaseAt = clock.now();
    const spool = (stream: LogStream): Spool => ({
      jobId: start.id,
      stream,
      content: Buffer.alloc(0),
      acknowledged: 0,
    });
    this.spools = { job: spool('job'), runner: spool('runner') };
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
      ...(this.runningAt !== null && this.isService ? { servicePort: SERVICE_PORT } : {}),
      ...this.ending,
    };
  }

  private get isService(): boolean {
    return 'DSTACK_SERVICE_PORT' in this.start.env;
  }

  stop(request: StopRequest): void {
    if (this.isFinished) return;
    const { time, random, watch } = this.around;
    watch.stopping(this.start, request, this.began === null ? null : time.now() - this.began);
    const { mode, graceSeconds, reason } = request;
    if (mode === 'kill' || this.phase !== 'running') {
      if (mode === 'kill' || this.phase !== 'stopping') this.finish(137, reason);
      return;
    }
    this.advance('stopping');
    const isObedient = random.chance(0.7);
    if (isObedient) time.after(random.between(100, 8_000), () => this.finish(0, reason));
    if (graceSeconds !== null) time.after(graceSeconds * 1000, () => this.finish(137, reason));
  }

  remove(): void {
    this.isRemoved = true;
  }

  private run(): void {
    if (this.phase === 'finished' || this.phase === 'stopping') return;
    const { time, random } = this.around;
    this.began = time.now();
    this.runningAt = this.clock.now();
    this.advance('running');
    // A replica of a service lives long and then fails; not for ever, as there are hosts that nobody reaches any more.
    const isLong = random.chance(this.isService ? 0.6 : 0.1);
    const lifeMs = isLong ? 240_000 : random.between(500, 90_000);
    const exitStatus = random.chance(this.isService ? 0.05 : 0.7) ? 0 : random.whole(1, 3);
    const limitMs = (this.start.maxDurationSeconds ?? Infinity) * 1000;
    if (limitMs < lifeMs) time.after(limitMs, () => this.finish(137, 'max_duration_exceeded'));
    else {
      const reason = exitStatus === 0 ? 'done_by_runner' : 'container_exited_with_error';
      time.after(lifeMs, () => this.finish(exitStatus, reason));
    }
    this.printOn();
  }

  private printOn(): void {
    if (this.isFinished || this.isRemoved) return;
    const { time, random } = this.around;
    this.print('job', `${this.start.id} at ${time.now()} ${'x'.repeat(random.whole(0, 200))}\n`);
    time.after(random.between(500, 20_000), () => this.printOn());
  }

  private print(stream: LogStream, text: string): void {
    const spool = this.spools[stream];
    spool.content = Buffer.concat([spool.content, Buffer.from(text)]);
    this.onChange();
  }

  private advance(phase: JobPhase): void {
    if (this.isFinished || this.isRemoved || (this.phase === 'stopping' && phase !== 'finished')) return;
    this.phase = phase;
    this.phaseAt = this.clock.now();
    this.revision += 1;
    this.onChange();
  }

  private finish(exitStatus: number, reason: JobEndReason): void {
    if (this.isFinished || this.isRemoved) return;
    this.print('job', 'last words\n');
    this.ending = {
      finishedAt: this.clock.now(),
      exitStatus,
      reason,
      logEnd: { job: this.spools.job.content.length, runner: this.spools.runner.content.length },
    };
    this.advance('finished');
  }
}
