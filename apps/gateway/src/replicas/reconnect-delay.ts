const FIRST_MS = 250;
const LONGEST_MS = 15_000;

/** Milliseconds until the next try after so many failed ones in a row. @param random in [0, 1): many hosts that went together do not come back together */
export function reconnectDelay(failures: number, random: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10)) * (0.75 + random / 2);
}
