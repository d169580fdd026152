/** A line of nginx's configuration, or a block of them. */
export type Directive = string | { readonly block: string; readonly lines: readonly Directive[] };

/** One argument that may hold anything but control characters, with no meaning to nginx. */
export function quoted(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new RangeError('a control character cannot stand in the configuration of nginx');
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}

export function printDirectives(lines: readonly Directive[], indent = ''): string {
  return lines
    .map((line) =>
      typeof line === 'string'
        ? `${indent}${line};\n`
        : `${indent}${line.block} {\n${printDirectives(line.lines, `${indent}  `)}${indent}}\n`,
    )
    .join('');
}
