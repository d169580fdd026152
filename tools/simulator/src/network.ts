import type { Faults } from './faults.js';
import type { RandomSource } from './random-source.js';
import { asError, type ServerEpoch } from './servers/server-epoch.js';
import type { Story } from './story.js';
import type { VirtualTime } from './time/virtual-time.js';

/** What an effect gives when whoever was asked does not answer. */
export const NO_ANSWER = Symbol('no answer');

export interface Request<T> {
  /** For people, beginning with who is asked: `cloud: create red-task-0`. */
  readonly name: string;
  readonly server: ServerEpoch;
  readonly signal?: AbortSignal;
  /** Milliseconds there, and from there back. */
  readonly travelMs: readonly [number, number];
  readonly answerMs: readonly [number, number];
  /** After which the server gives up; asked when it sends. */
  readonly timeoutMs: () => number;
  readonly onTimeout: (what: string) => Error;
  /** Whether it may be under way for long after its sender has given up: only where others pass it on. */
  readonly isPassedOn: boolean;
  /** Whether what sends it may send it again when no answer comes. */
  readonly isRepeatable: boolean;
  /** What it does where it arrives. */
  readonly effect: () => T | typeof NO_ANSWER;
}

const LATE_MS = [5_000, 60_000] as const;
const REPEATED_MS = [10, 10_000] as const;

/** Everything between servers and the outside: what is sent arrives once, later, twice or never, whether or not its sender lives. */
export class Network {
  constructor(
    private readonly time: VirtualTime,
    private readonly random: RandomSource,
    private readonly faults: Faults,
    private readonly story: Story,
  ) {}

  /** @throws what the effect throws, the signal's reason, or that no answer came */
  async send<T>(request: Request<T>): Promise<T> {
    const { name, server, signal } = request;
    await server.pass(`before ${name}`);
    const answer = await this.exchange(request, signal);
    await server.pass(`after ${name}`);
    return answer;
  }

  private exchange<T>(request: Request<T>, signal: AbortSignal | undefined): Promise<T> {
    const { name, server, effect, travelMs, answerMs } = request;
    const { time, random, faults } = this;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(asError(signal.reason));
      const timeoutMs = request.timeoutMs();
      if (timeoutMs <= 0) return reject(request.onTimeout(`${name}: it is too late`));
      let isSettled = false;
      const settle = (finish: () => void): void => {
        if (isSettled) return;
        isSettled = true;
        giveUp.cancel();
        signal?.removeEventListener('abort', onAbort);
        if (!server.isDead) finish();
      };
      const onAbort = (): void => settle(() => reject(asError(signal?.reason)));
      const fail = (what: string): void => settle(() => reject(request.onTimeout(`${name}: ${what}`)));
      const giveUp = time.after(timeoutMs, () => server.deliver(() => fail('no answer in time')));
      const travel = (isRepeat: boolean): void => {
        // Who gets no answer may be told so, or may have it asked again by the library that asks.
        const silence = (what: string): void => {
          this.story.tell(`${name}: ${what}`);
          if (request.isRepeatable && !isRepeat && random.chance(faults.repeatedRequest)) {
            time.after(random.between(...REPEATED_MS), () => {
              if (isSettled) return;
              this.story.tell(`${name}: is asked again`);
              travel(true);
            });
          } else time.after(random.between(500, timeoutMs), () => server.deliver(() => fail(what)));
        };
        if (random.chance(faults.lostRequest)) return silence('the request is lost');
        time.after(this.delay(travelMs, request.isPassedOn ? faults.lateRequest : 0), () => {
          const answer = attempt(effect);
          if (!isSettled) server.mark(`between ${name} and its answer`);
          if (answer === NO_ANSWER) return silence('nobody answers');
          if (random.chance(faults.lostReply)) return silence('the answer is lost');
          time.after(this.delay(answerMs, faults.lateReply), () =>
            server.deliver(() =>
              settle(() => ('error' in answer ? reject(asError(answer.error)) : resolve(answer.value))),
            ),
          );
        });
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      travel(false);
    });
  }

  private delay([min, max]: readonly [number, number], late: number): number {
    const ms = this.random.between(min, max);
    return this.random.chance(late) ? ms + this.random.between(...LATE_MS) : ms;
  }
}

type Answer<T> = { readonly value: T } | { readonly error: unknown } | typeof NO_ANSWER;

function attempt<T>(effect: () => T | typeof NO_ANSWER): Answer<T> {
  try {
    const value = effect();
    return value === NO_ANSWER ? NO_ANSWER : { value };
  } catch (error) {
    return { error };
  }
}
