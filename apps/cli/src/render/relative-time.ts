const STEPS: readonly [limitSeconds: number, size: number, one: string, many: string][] = [
  [60, 1, '1 sec ago', 'sec ago'],
  [3_600, 60, '1 min ago', 'mins ago'],
  [86_400, 3_600, '1 hour ago', 'hours ago'],
  [604_800, 86_400, 'yesterday', 'days ago'],
  [2_592_000, 604_800, '1 week ago', 'weeks ago'],
  [31_536_000, 2_592_000, '1 month ago', 'months ago'],
];

/** `now`, `42 sec ago`, `12 mins ago`, `yesterday`; blank for the future. */
export function relativeTime(iso: string | null | undefined, nowMs: number): string {
  if (!iso) return '';
  const seconds = Math.floor((nowMs - Date.parse(iso)) / 1000);
  if (Number.isNaN(seconds) || seconds < -10) return '';
  if (seconds < 10) return 'now';
  const step = STEPS.find(([limit]) => seconds < limit) ?? [Infinity, 31_536_000, '1 year ago', 'years ago'];
  const count = Math.floor(seconds / step[1]);
  return count === 1 ? step[2] : `${count} ${step[3]}`;
}
