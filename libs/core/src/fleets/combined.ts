/** One property of a run and of a fleet brought together: a value both accept, or why there is none. */
export type Combined<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly conflict: string };

export function combined<T>(value: T): Combined<T> {
  return { ok: true, value };
}

export function conflict(text: string): { readonly ok: false; readonly conflict: string } {
  return { ok: false, conflict: text };
}

/** Null and undefined leave the choice to the other side. */
export function equalOrUnset<T extends string | number>(
  what: string,
  fleet: T | null | undefined,
  run: T | null | undefined,
): Combined<T | null> {
  if (fleet === null || fleet === undefined) return combined(run ?? null);
  if (run === null || run === undefined || run === fleet) return combined(fleet);
  return conflict(`${what}: the fleet has ${fleet}, the run asks for ${run}`);
}

export function intersectLists<T extends string>(
  what: string,
  fleet: readonly T[] | null | undefined,
  run: readonly T[] | null | undefined,
  { ignoreCase }: { ignoreCase: boolean },
): Combined<T[] | null> {
  if (!fleet) return combined(run ? [...run] : null);
  if (!run) return combined([...fleet]);
  const fold = (text: string) => (ignoreCase ? text.toLowerCase() : text);
  const allowed = new Set(run.map(fold));
  const both = fleet.filter((item) => allowed.has(fold(item)));
  return both.length > 0
    ? combined(both)
    : conflict(`${what}: the fleet has ${fleet.join(', ')}, the run asks for ${run.join(', ')}`);
}

export function lower(a: number | null | undefined, b: number | null | undefined): number | null {
  const known = [a, b].filter((value) => value !== null && value !== undefined);
  return known.length === 0 ? null : Math.min(...known);
}

export function higher(a: number | null | undefined, b: number | null | undefined): number | null {
  const known = [a, b].filter((value) => value !== null && value !== undefined);
  return known.length === 0 ? null : Math.max(...known);
}
