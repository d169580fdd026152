import type { Call } from './call.js';

export interface SurveyOptions<Facts> {
  readonly ask: (region: string, call: Call) => Promise<Facts>;
  /** Whether everything was told; what was not is asked again soon. */
  readonly isWhole: (facts: Facts) => boolean;
  readonly keptMs: number;
  readonly now: () => number;
  /** How long somebody waits for what is not known yet. */
  readonly patienceMs?: number;
}

const AT_ONCE = 8;
const PATIENCE_MS = 6_000;
const ASK_LIMIT_MS = 60_000;
const SOON_MS = 60_000;

/**
 * What a cloud says of its regions: asked of some at once, kept for a while. Offers have few seconds, and many regions may need more: who
 * asks gets what is known by then, and the rest is there the next time.
 */
export class Survey<Facts> {
  private readonly known = new Map<string, { readonly facts: Facts; readonly until: number }>();
  private round: Promise<void> | null = null;

  constructor(private readonly options: SurveyOptions<Facts>) {}

  /** Without the regions that are not known yet. @throws what `ask` throws */
  async of(regions: readonly string[], call: Call): Promise<Map<string, Facts>> {
    call.signal.throwIfAborted();
    const { now } = this.options;
    const wanted = regions.filter((region) => (this.known.get(region)?.until ?? 0) <= now());
    if (wanted.length > 0) await this.patiently(this.begin(wanted), call);
    return new Map(
      regions.flatMap((region) => {
        const entry = this.known.get(region);
        return entry === undefined ? [] : [[region, entry.facts] as const];
      }),
    );
  }

  /** One round at a time: who comes later waits for it too. */
  private begin(regions: readonly string[]): Promise<void> {
    if (this.round !== null) return this.round;
    const round = this.askAll(regions).finally(() => (this.round = null));
    // It goes on when nobody waits for it any more.
    round.catch(() => undefined);
    this.round = round;
    return round;
  }

  private async askAll(regions: readonly string[]): Promise<void> {
    const left = [...regions];
    const worker = async (): Promise<void> => {
      for (let region = left.shift(); region !== undefined; region = left.shift()) await this.askOne(region);
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, left.length) }, worker));
  }

  private async askOne(region: string): Promise<void> {
    const { ask, isWhole, keptMs, now } = this.options;
    const call = { signal: new AbortController().signal, deadline: now() + ASK_LIMIT_MS };
    const facts = await ask(region, call);
    this.known.set(region, { facts, until: now() + (isWhole(facts) ? keptMs : Math.min(keptMs, SOON_MS)) });
  }

  private async patiently(round: Promise<void>, call: Call): Promise<void> {
    const leftMs = Math.min(this.options.patienceMs ?? PATIENCE_MS, call.deadline - this.options.now());
    const over = AbortSignal.any([call.signal, AbortSignal.timeout(Math.max(0, leftMs))]);
    let stop: () => void = () => undefined;
    const waited = new Promise<void>((resolve) => {
      stop = resolve;
      over.addEventListener('abort', stop, { once: true });
    });
    try {
      await Promise.race([round, waited]);
    } finally {
      over.removeEventListener('abort', stop);
    }
    call.signal.throwIfAborted();
  }
}
