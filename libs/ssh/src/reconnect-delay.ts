const FIRST_MS = 500;
const LONGEST_MS = 30_000;

/** Before the `attempt`-th try (from 0) to connect again. `random` in [0, 1) spreads the hosts of a lost network. */
export function reconnectDelayMs(attempt: number, random: number): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt, 16));
  return Math.round(ceiling * (0.5 + random / 2));
}
