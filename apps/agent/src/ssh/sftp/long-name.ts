import type { Stats } from 'node:fs';

const TYPES: ReadonlyMap<number, string> = new Map([
  [0o040000, 'd'],
  [0o120000, 'l'],
  [0o020000, 'c'],
  [0o060000, 'b'],
  [0o010000, 'p'],
  [0o140000, 's'],
]);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const HALF_A_YEAR_MS = 182 * 24 * 3600 * 1000;

/** The line of `ls -l` that SFTP clients show as it is. */
export function longName(name: string, stats: Stats, nowMs: number): string {
  const at = stats.mtime;
  const two = (value: number): string => String(value).padStart(2, '0');
  const recent = Math.abs(nowMs - at.getTime()) < HALF_A_YEAR_MS;
  const when = recent ? `${two(at.getHours())}:${two(at.getMinutes())}` : ` ${at.getFullYear()}`;
  return [
    permissions(stats.mode),
    String(stats.nlink).padStart(4),
    String(stats.uid).padEnd(8),
    String(stats.gid).padEnd(8),
    String(stats.size).padStart(8),
    MONTHS[at.getMonth()] ?? '',
    String(at.getDate()).padStart(2),
    when,
    name,
  ].join(' ');
}

function permissions(mode: number): string {
  const triple = (bits: number, special: boolean, letter: string): string => {
    const x = bits & 1 ? (special ? letter : 'x') : special ? letter.toUpperCase() : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${x}`;
  };
  return (
    (TYPES.get(mode & 0o170000) ?? '-') +
    triple(mode >> 6, (mode & 0o4000) !== 0, 's') +
    triple(mode >> 3, (mode & 0o2000) !== 0, 's') +
    triple(mode, (mode & 0o1000) !== 0, 't')
  );
}
