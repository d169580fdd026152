import type { Style } from '../terminal/style.js';

/** ` Name   value` lines, aligned; entries without a value are left out. Pure. */
export function renderProperties(entries: readonly (readonly [string, string | undefined])[], style: Style): string {
  const shown = entries.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => ` ${style.bold(name.padEnd(width))}  ${value ?? ''}`).join('\n');
}
