/** `0:02`, `12:05`, `1:02:03`. */
export function formatClock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

const UNITS = [
  ['w', 604_800],
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
] as const;

/** A duration in the largest unit that divides it evenly: 5400 → `90m`. */
export function formatDuration(seconds: number): string {
  if (seconds === 0) return '0s';
  const unit = UNITS.find(([, size]) => seconds % size === 0);
  return unit ? `${seconds / unit[1]}${unit[0]}` : `${seconds}s`;
}

/** Seconds of a duration as in configurations (`90`, `5m`, `2 h`), or undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+) *([smhdw]?)$/.exec(text.trim());
  if (!match) return undefined;
  const size = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, '': 1 }[match[2] ?? ''] ?? 1;
  return Number(match[1]) * size;
}

/** `5m 3s`: the two largest units. */
export function formatElapsed(seconds: number): string {
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, size] of [...UNITS.slice(1), ['s', 1] as const]) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0s';
}
