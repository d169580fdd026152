const DEEPEST = 100;

/** A JSON value in the block style that people write; scalars and keys, and what is very deep, as JSON writes them. */
export function toYaml(value: unknown, indent = ''): string {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0)
    return `${JSON.stringify(value)}\n`;
  const lines = Object.entries(value).map(([key, child]) => {
    const start = Array.isArray(value) ? '-' : `${JSON.stringify(key)}:`;
    const nested = typeof child === 'object' && child !== null && Object.keys(child as object).length > 0;
    return nested && indent.length < 2 * DEEPEST
      ? `${indent}${start}\n${toYaml(child, `${indent}  `)}`
      : `${indent}${start} ${JSON.stringify(child)}\n`;
  });
  return lines.join('');
}
