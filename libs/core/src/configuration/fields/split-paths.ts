/** Splits `A` or `A:B` where either may begin with a Windows drive (`C:\code:/code`). */
export function splitPaths(written: string): string[] {
  const parts: string[] = [];
  let rest = written;
  while (rest !== '') {
    const drive = /^[a-zA-Z]:[\\/]/.test(rest) ? 2 : 0;
    const end = rest.indexOf(':', drive);
    if (end === -1) return [...parts, rest];
    parts.push(rest.slice(0, end));
    rest = rest.slice(end + 1);
  }
  return [...parts, ''];
}

export const isWindowsAbsolute = (path: string): boolean => /^[a-zA-Z]:[\\/]/.test(path) || path.startsWith('\\\\');
