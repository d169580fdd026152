import {
  IDEMPOTENCY_KINDS,
  type IdempotencyKind,
  type SimulationOptions,
  type SimulationResult,
} from './simulation-options.js';

export interface WantedCreates {
  /** Create calls that have trouble. */
  readonly faulted: number;
  readonly from: number;
  /** Null: each in turn. */
  readonly kind: IdempotencyKind | null;
}

const AT_ONCE = 12;

/** Stories of users who want many machines, until enough of their create calls had trouble. */
export async function tellCreates(
  { faulted, from, kind }: WantedCreates,
  tell: (stories: readonly SimulationOptions[]) => Promise<SimulationResult[]>,
): Promise<{ readonly stories: SimulationOptions[]; readonly results: SimulationResult[] }> {
  const kinds = kind === null ? IDEMPOTENCY_KINDS : [kind];
  const stories: SimulationOptions[] = [];
  const results: SimulationResult[] = [];
  while (results.reduce((sum, { creates }) => sum + creates.faulted, 0) < faulted) {
    const next = Array.from({ length: AT_ONCE }, (_story, index): SimulationOptions => {
      const number = stories.length + index;
      const creates = kinds[number % kinds.length] ?? 'token';
      return { seed: from + Math.floor(number / kinds.length), creates };
    });
    results.push(...(await tell(next)));
    stories.push(...next);
  }
  return { stories, results };
}

export interface CreatesSummary {
  readonly kind: IdempotencyKind;
  readonly asked: number;
  readonly faulted: number;
  readonly machines: number;
  /** Machines that for a while nobody was behind, or that were the second one of their instance. */
  readonly strays: number;
}

export function sumOfCreates(
  stories: readonly SimulationOptions[],
  results: readonly SimulationResult[],
): CreatesSummary[] {
  return IDEMPOTENCY_KINDS.flatMap((kind) => {
    const mine = results.filter((_result, index) => stories[index]?.creates === kind);
    const sum = (of: (result: SimulationResult) => number): number =>
      mine.reduce((total, result) => total + of(result), 0);
    if (mine.length === 0) return [];
    return [
      {
        kind,
        asked: sum(({ creates }) => creates.asked),
        faulted: sum(({ creates }) => creates.faulted),
        machines: sum(({ machines }) => machines),
        strays: sum(({ creates }) => creates.strays),
      },
    ];
  });
}
