import {
  afterProbe,
  goesOn,
  isReplicaReady,
  isWorthTelling,
  probePauseMs,
  type Probe,
  type ProbeState,
  UNPROBED,
} from '@dstack/core';
import type { EffectLimiter } from '../reconcile/effect-limiter.js';
import type { World } from '../world/world.js';
import type { ProbeAsker, ProbeTarget } from './probe-asker.js';

export interface ProbedReplicaTools {
  readonly asker: ProbeAsker;
  readonly limiter: EffectLimiter;
  readonly world: World;
  /** Writes what is known of all probes. @returns false when the replica is not to be asked any more */
  readonly tell: (jobId: string, states: readonly ProbeState[], isReady: boolean) => Promise<boolean>;
  readonly onError: (error: unknown) => void;
}

interface Question extends Pick<Probe, 'interval' | 'ready_after' | 'until_ready'> {
  readonly probe: Probe | null;
}

/** A replica without probes gets requests once somebody listens at its port. */
const PORT: Question = { probe: null, interval: 5, ready_after: 1, until_ready: true };

/** One replica, asked by each of its probes for as long as it runs and this server holds its host. */
export class ProbedReplica {
  private readonly stopping = new AbortController();
  private readonly questions: readonly Question[];
  private readonly states: ProbeState[];
  private readonly done: Promise<unknown>;

  constructor(
    private readonly target: ProbeTarget,
    private readonly probes: readonly Probe[],
    known: readonly ProbeState[],
    private readonly tools: ProbedReplicaTools,
  ) {
    this.questions = probes.length === 0 ? [PORT] : probes.map((probe) => ({ probe, ...probe }));
    this.states = this.questions.map((_question, index) => known[index] ?? UNPROBED);
    this.done = Promise.allSettled(this.questions.map((question, index) => this.ask(question, index)));
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the replica is not asked any more'));
    await this.done;
  }

  private async ask(question: Question, index: number): Promise<void> {
    const { asker, limiter, world } = this.tools;
    const { signal } = this.stopping;
    while (!signal.aborted && goesOn(this.stateOf(index), question)) {
      const answer = await limiter.run('probes', () => asker.ask(question.probe, this.target, signal));
      if (signal.aborted) return;
      if (answer !== 'unknown') await this.take(question, index, answer === 'yes');
      const pauseMs = probePauseMs(this.stateOf(index), question.interval * 1000);
      await world.scheduler.sleep(pauseMs, signal).catch(() => undefined);
    }
  }

  private async take(question: Question, index: number, hasSucceeded: boolean): Promise<void> {
    const before = this.stateOf(index);
    const after = afterProbe(before, question, hasSucceeded);
    this.states[index] = after;
    if (!isWorthTelling(before, after, question)) return;
    const states = [...this.states];
    try {
      const shown = states.slice(0, this.probes.length);
      const isStillThere = await this.tools.tell(this.target.jobId, shown, isReplicaReady(states));
      if (!isStillThere) this.stopping.abort(new Error('the replica does not run any more'));
    } catch (error) {
      // Told again with the next answer.
      this.states[index] = before;
      this.tools.onError(error);
    }
  }

  private stateOf(index: number): ProbeState {
    return this.states[index] ?? UNPROBED;
  }
}
