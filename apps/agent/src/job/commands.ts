import type { JobEndReason } from '@dstack/agent-protocol';
import { interruptSession, isAloneInSession, signalQuietly } from '../process/job-processes.js';
import { type PtyOptions, type PtyProcess, spawnPty } from '../process/pty.js';
import type { SpoolWriter } from '../spool/spool-writer.js';
import type { LogQuota } from './log-quota.js';
import { decideOutcome, type Interruption, type Outcome } from './outcome.js';

export interface CommandsOptions {
  readonly pty: PtyOptions;
  readonly spool: SpoolWriter;
  readonly now: () => number;
  readonly maxDurationSeconds?: number;
  readonly quota?: LogQuota;
  /** Ends what the commands left running; their output may go on as long as something holds the terminal. */
  readonly killLeftovers: (leaderPid: number) => void;
  readonly countOomKills: () => Promise<number>;
  /** Live watchers of the raw terminal. */
  readonly onOutput?: (bytes: Buffer) => void;
}

/** After max_duration there is no request to say how long to wait. */
const MAX_DURATION_GRACE_SECONDS = 10;
/** For what is left in the terminal once every process is gone; it is a few kilobytes. */
const DRAIN_LIMIT_MS = 5000;

const END_OF_INPUT = Buffer.from([4]);
const PROMPT_EVERY_MS = 250;
const PROMPT_TRIES = 20;

/** The job's commands in their terminal: output to the spool, limits, and a stop that lets them say goodbye. */
export class Commands {
  readonly pid: number;
  readonly finished: Promise<Outcome>;
  private readonly pty: PtyProcess;
  private interruption: Interruption | undefined;
  private killTimer: NodeJS.Timeout | undefined;
  private exited = false;

  constructor(private readonly options: CommandsOptions) {
    this.pty = spawnPty(options.pty);
    this.pid = this.pty.pid;
    this.pty.output.on('data', (chunk: Buffer) => {
      this.take(chunk);
    });
    this.finished = this.follow();
  }

  /** SIGINT now, SIGKILL after the grace period (null: never). The first reason given stays. */
  stop(reason: JobEndReason, graceSeconds: number | null, message?: string): void {
    if (this.exited) return;
    const first = this.interruption === undefined;
    this.interruption ??= message === undefined ? { reason } : { reason, message };
    clearTimeout(this.killTimer);
    if (first) {
      interruptSession(this.pid);
      this.leavePrompt();
    }
    if (graceSeconds === null) return;
    const delay = Math.min(graceSeconds * 1000, 2 ** 31 - 1);
    this.killTimer = setTimeout(() => {
      this.killAll();
    }, delay);
  }

  kill(reason: JobEndReason, message?: string): void {
    if (this.exited) return;
    this.interruption ??= message === undefined ? { reason } : { reason, message };
    this.killAll();
  }

  /**
   * Some interactive shells (dash) answer an interrupt with a prompt, although they were given their commands: the end of input makes
   * them exit with the status of what was interrupted.
   */
  private leavePrompt(): void {
    let left = PROMPT_TRIES;
    const timer = setInterval(() => {
      if (this.exited || left-- === 0) clearInterval(timer);
      else if (isAloneInSession(this.pid)) this.pty.write(END_OF_INPUT);
    }, PROMPT_EVERY_MS);
  }

  private killAll(): void {
    this.options.killLeftovers(this.pid);
    signalQuietly(this.pid, 'SIGKILL');
  }

  private take(chunk: Buffer): void {
    const { spool, quota, now, onOutput } = this.options;
    onOutput?.(chunk);
    if (!spool.append(chunk)) {
      this.pty.output.pause();
      void spool.drained().then(() => this.pty.output.resume());
    }
    if (quota?.exceededBy(chunk, now()) === true)
      this.kill('log_quota_exceeded', 'the job printed more than its log quota allows');
  }

  private async follow(): Promise<Outcome> {
    const { maxDurationSeconds } = this.options;
    const cancelLimit =
      maxDurationSeconds === undefined
        ? undefined
        : after(maxDurationSeconds * 1000, this.options.now, () => {
            this.stop(
              'max_duration_exceeded',
              MAX_DURATION_GRACE_SECONDS,
              `the job ran for its max_duration of ${maxDurationSeconds} s`,
            );
          });
    const status = await this.pty.exited;
    this.exited = true;
    cancelLimit?.();
    clearTimeout(this.killTimer);
    this.options.spool.liftBound();
    this.options.killLeftovers(this.pid);
    const limit = new Promise<void>((resolve) => setTimeout(resolve, DRAIN_LIMIT_MS).unref());
    await Promise.race([this.pty.ended, limit]);
    this.pty.close();
    await this.options.spool.flush();
    return decideOutcome(status, this.interruption, await this.options.countOomKills());
  }
}

/** Timers hold 24.8 days at most; jobs may run longer. */
function after(delayMs: number, now: () => number, act: () => void): () => void {
  const due = now() + delayMs;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = due - now();
    timer = setTimeout(
      () => {
        if (now() >= due - 5) act();
        else arm();
      },
      Math.min(Math.max(left, 0), 2 ** 31 - 1),
    );
  };
  arm();
  return () => {
    clearTimeout(timer);
  };
}
