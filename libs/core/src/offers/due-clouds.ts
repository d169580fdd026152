const FIRST_RETRY_MS = 3_600_000;
const LAST_RETRY_MS = 24 * 3_600_000;

/** What is known of the price list of a cloud. Times in ms since the epoch. */
export interface PriceListTries {
  readonly cloud: string;
  readonly triedAt: number | null;
  /** Tries that failed since the last that did not. */
  readonly failures: number;
  /** Somebody wants it read now. */
  readonly wanted: string | null;
}

/** Those of the clouds whose price lists are to be read now. `intervalMs` null: only when somebody wants it. */
export function dueClouds(
  clouds: readonly string[],
  states: readonly PriceListTries[],
  now: number,
  intervalMs: number | null,
): string[] {
  const known = new Map(states.map((state) => [state.cloud, state]));
  return clouds.filter((cloud) => {
    const state = known.get(cloud);
    if (state?.wanted != null) return true;
    if (intervalMs === null) return false;
    if (state === undefined || state.triedAt === null) return true;
    const retryMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (state.failures - 1));
    return now >= state.triedAt + (state.failures === 0 ? intervalMs : Math.min(intervalMs, retryMs));
  });
}
