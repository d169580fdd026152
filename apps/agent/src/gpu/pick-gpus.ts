/**
 * Which free devices a job gets. Devices near each other in the tool's order share a switch, an NVLink bridge or a NUMA node, and such
 * groups start at multiples of their size: of eight, `0-3` is one group and `2-5` is none. So: a group that starts where a group
 * of this size does, else any run of neighbours, else whatever is free; and always in the tightest gap that fits, to leave large ones for large jobs.
 */
export function pickGpus(order: readonly string[], free: ReadonlySet<string>, count: number): string[] | undefined {
  const available = order.filter((id) => free.has(id));
  if (available.length < count) return undefined;
  if (count === 0) return [];
  const runs = freeRuns(order, free);
  const starts = runs.flatMap((run) =>
    Array.from({ length: Math.max(0, run.length - count + 1) }, (_, step) => ({
      start: run.start + step,
      gap: run.length,
    })),
  );
  const group = groupSize(count);
  const best = starts
    .map((candidate) => ({ ...candidate, crosses: crossesGroup(candidate.start, count, group) }))
    .sort((a, b) => Number(a.crosses) - Number(b.crosses) || a.gap - b.gap || a.start - b.start)[0];
  return best === undefined ? available.slice(0, count) : order.slice(best.start, best.start + count);
}

function crossesGroup(start: number, count: number, group: number): boolean {
  return Math.floor(start / group) !== Math.floor((start + count - 1) / group);
}

/** The next power of two. */
function groupSize(count: number): number {
  return 2 ** Math.ceil(Math.log2(count));
}

function freeRuns(order: readonly string[], free: ReadonlySet<string>): { start: number; length: number }[] {
  const runs: { start: number; length: number }[] = [];
  order.forEach((id, index) => {
    if (!free.has(id)) return;
    const last = runs.at(-1);
    if (last !== undefined && last.start + last.length === index) last.length++;
    else runs.push({ start: index, length: 1 });
  });
  return runs;
}
