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
  /** For how long it is under way then; as with everybody unless said. */
  readonly lateMs?: readonly [number, number];
  /** Is told of each trouble that it has. */
  readonly onTrouble?: () => void;
  /** Whether what sends it may send it again when no answer comes. */
  readonly isRepeatable: boolean;
  /** What it does where it arrives. */
  readonly effect: () => T | typeof NO_ANSWER;
}

const LATE_MS = [5_000, 60_000] as const;
const REPEATED_MS = [10, 10_000] as const;

/** What everything between servers and the outside goes through: what is sent arrives once, later, twice or never, whether or not its sender lives. */
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
    const { time, random, faults, story } = this;
    await server.pass(`before ${name}`);
    if (signal?.aborted === true) throw asError(signal.reason);
    const timeoutMs = request.timeoutMs();
    if (timeoutMs <= 0) throw request.onTimeout(`${name}: it is too late`);
    const answer = await new Promise<T>((resolve, reject) =>
      new Exchange(request, { time, random, faults, story, timeoutMs, resolve, reject }).begin(),
    );
    await server.pass(`after ${name}`);
    return answer;
  }
}

interface ExchangeTools<T> {
  readonly time: VirtualTime;
  readonly random: RandomSource;
  readonly faults: Faults;
  readonly story: Story;
  readonly timeoutMs: number;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** One request and what becomes of it; its sender hears of it once, while it lives. */
class Exchange<T> {
  private isSettled = false;
  private readonly giveUp: { cancel(): void };
  private readonly stopHearing: () => void;

  constructor(
    private readonly request: Request<T>,
    private readonly tools: ExchangeTools<T>,
  ) {
    this.giveUp = tools.time.after(tools.timeoutMs, () => this.tellLost('no answer in time'));
    this.stopHearing = request.server.onAbort(request.signal, () => this.fail(() => asError(request.signal?.reason)));
  }

  begin(): void {
    this.travel(false);
  }

  private travel(isRepeat: boolean): void {
    const { time, random, faults } = this.tools;
    const { travelMs, isPassedOn } = this.request;
    if (random.chance(faults.lostRequest)) return this.silence('the request is lost', isRepeat);
    time.after(this.delay(travelMs, isPassedOn ? faults.lateRequest : 0, this.request.lateMs), () =>
      this.arrive(isRepeat),
    );
  }

  private arrive(isRepeat: boolean): void {
    const { time, random, faults } = this.tools;
    const { name, server, effect, answerMs } = this.request;
    const answer = attempt(effect);
    if (!this.isSettled) server.mark(`between ${name} and its answer`);
    if (!server.isAwake) this.request.onTrouble?.();
    if (answer === NO_ANSWER) return this.silence('nobody answers', isRepeat);
    if (random.chance(faults.lostReply)) return this.silence('the answer is lost', isRepeat);
    time.after(this.delay(answerMs, faults.lateReply), () =>
      server.deliver(() => {
        if ('error' in answer) this.fail(() => asError(answer.error));
        else this.settle(() => this.tools.resolve(answer.value));
      }),
    );
  }

  /** Who gets no answer is told so in the end, or the library that asks asks again. */
  private silence(what: string, isRepeat: boolean): void {
    const { time, random, faults, story, timeoutMs } = this.tools;
    const { name, isRepeatable } = this.request;
    story.tell(`${name}: ${what}`);
    this.request.onTrouble?.();
    if (!isRepeatable || isRepeat || !random.chance(faults.repeatedRequest)) {
      time.after(random.between(500, timeoutMs), () => this.tellLost(what));
      return;
    }
    time.after(random.between(...REPEATED_MS), () => {
      if (this.isSettled) return;
      story.tell(`${name}: is asked again`);
      this.travel(true);
    });
  }

  private tellLost(what: string): void {
    const { name, server, onTimeout } = this.request;
    server.deliver(() => this.fail(() => onTimeout(`${name}: ${what}`)));
  }

  private fail(why: () => Error): void {
    this.settle(() => this.tools.reject(why()));
  }

  private settle(finish: () => void): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.giveUp.cancel();
    this.stopHearing();
    if (!this.request.server.isDead) finish();
  }

  private delay(
    [min, max]: readonly [number, number],
    late: number,
    lateMs: readonly [number, number] = LATE_MS,
  ): number {
    const { random } = this.tools;
    const ms = random.between(min, max);
    if (!random.chance(late)) return ms;
    this.request.onTrouble?.();
    return ms + random.between(...lateMs);
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
