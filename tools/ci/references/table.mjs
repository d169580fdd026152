const cell = (text) =>
  String(text).replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('{{', '&#123;&#123;').replaceAll('\n', ' ');

/** A Markdown table; one without rows is nothing. */
export function table(titles, rows) {
  if (rows.length === 0) return [];
  const line = (cells) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line), ''];
}

export const code = (text) => `\`${text}\``;
