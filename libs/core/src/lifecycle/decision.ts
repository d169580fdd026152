/** Unix milliseconds. */
export type Instant = number;

/** What a decision function wants: the next state, the fields that change with it, what to do, and when to look again. */
export interface Decision<Status extends string, Effect, Changes extends object> {
  readonly status: Status;
  readonly changes: Readonly<Partial<Changes>>;
  readonly effects: readonly Effect[];
  /** Null: nothing more happens unless somebody wakes the row. */
  readonly dueAt: Instant | null;
  /** Set whenever the status changes; becomes the event's text. */
  readonly because: string | null;
}

interface Wants<Effect, Changes> {
  readonly changes?: Readonly<Partial<Changes>>;
  readonly effects?: readonly Effect[];
  readonly dueAt?: Instant | null;
}

/** Moves to another status. */
export function go<Status extends string, Effect, Changes extends object>(
  status: Status,
  wants: Wants<Effect, Changes> & { readonly because: string },
): Decision<Status, Effect, Changes> {
  return {
    status,
    changes: wants.changes ?? nothing<Changes>(),
    effects: wants.effects ?? [],
    dueAt: wants.dueAt ?? null,
    because: wants.because,
  };
}

/** Keeps the status. */
export function stay<Status extends string, Effect, Changes extends object>(
  status: Status,
  wants: Wants<Effect, Changes>,
): Decision<Status, Effect, Changes> {
  return {
    status,
    changes: wants.changes ?? nothing<Changes>(),
    effects: wants.effects ?? [],
    dueAt: wants.dueAt ?? null,
    because: null,
  };
}

/** The exhaustiveness check of a `switch` over a union. */
export function undecided(value: never): never {
  throw new TypeError(`nobody has decided ${JSON.stringify(value)}`);
}

// `{}` is a Partial of everything, which the compiler cannot see for a type parameter.
function nothing<Changes extends object>(): Readonly<Partial<Changes>> {
  return {} as Readonly<Partial<Changes>>;
}
