/** Fields of a line of CSV, quoted or not; a quote inside a quoted one is doubled. Quoted fields with line ends are not known. */
export function splitCsvLine(line: string): string[] {
  const text = line.replace(/\r$/, '');
  const fields: string[] = [];
  let at = 0;
  while (at <= text.length) {
    if (text[at] !== '"') {
      const end = text.indexOf(',', at);
      const stop = end === -1 ? text.length : end;
      fields.push(text.slice(at, stop));
      at = stop + 1;
      continue;
    }
    let end = at + 1;
    while (end < text.length && (text[end] !== '"' || text[end + 1] === '"')) end += text[end] === '"' ? 2 : 1;
    fields.push(text.slice(at + 1, end).replaceAll('""', '"'));
    at = end + 2;
  }
  return fields;
}
