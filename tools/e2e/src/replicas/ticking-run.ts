/** A task that says every half second which number it has come to, and when. */
export function tickingTask(name: string, ticks: number, more = ''): string {
  const loop = `for i in $(seq ${ticks}); do echo "tick $i $(date +%s%3N)"; sleep 0.5; done`;
  return `type: task\nname: ${name}\ncommands:\n  - ${loop}\n${more}\n`;
}

export interface Tick {
  readonly number: number;
  /** Milliseconds since the epoch, by the clock of the run. */
  readonly at: number;
}

export function ticksIn(log: string): Tick[] {
  return [...log.matchAll(/^tick (\d+) (\d+)\r?$/gm)].map(([, number, at]) => ({
    number: Number(number),
    at: Number(at),
  }));
}

/** What a log has too few or too often, where every number from 1 to `expected` belongs in it once. */
export function countTicks(
  ticks: readonly Tick[],
  expected: number,
): { readonly lost: number; readonly doubled: number } {
  const seen = new Set(ticks.map(({ number }) => number));
  return { lost: expected - seen.size, doubled: ticks.length - seen.size };
}
