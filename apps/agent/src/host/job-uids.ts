export interface UidRange {
  readonly first: number;
  readonly count: number;
}

/** Above what distributions and user namespaces hand out; needs no passwd entry. */
export const DEFAULT_JOB_UIDS: UidRange = { first: 1_879_048_192, count: 65_536 };

/** `first-last` or `first:count`. */
export function parseUidRange(text: string): UidRange {
  const match = /^(\d+)([-:])(\d+)$/.exec(text);
  const first = Number(match?.[1]);
  const count = match?.[2] === '-' ? Number(match[3]) - first + 1 : Number(match?.[3]);
  if (match === null || first < 1 || count < 1 || first + count > 2 ** 31) {
    throw new RangeError(`"${text}" is not a range of uids: write first-last, such as 1879048192-1879113727`);
  }
  return { first, count };
}

/** An uid no other job has. Starts at a place that differs by job, so that files left behind rarely meet their old number. */
export function pickUid(range: UidRange, inUse: ReadonlySet<number>, jobId: string): number | undefined {
  let hash = 0;
  for (const char of jobId) hash = (hash * 31 + char.charCodeAt(0)) >>> 0;
  for (let step = 0; step < range.count; step++) {
    const uid = range.first + ((hash + step) % range.count);
    if (!inUse.has(uid)) return uid;
  }
  return undefined;
}
