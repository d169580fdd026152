/** Breaks a text at its spaces so that no line is wider, where words allow it. Pure. */
export function wrapText(text: string, width: number, { first = '', rest = '' } = {}): string[] {
  const lines: string[] = [];
  let start = first;
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || start.length + longer.length <= width) line = longer;
    else {
      lines.push(start + line);
      start = rest;
      line = word;
    }
  }
  return [...lines, start + line];
}
