import type { Paint } from './style.js';

export interface Column {
  readonly title: string;
  /** Narrowest this column may become when the terminal is too small; absent: it never shrinks. */
  readonly shrinkTo?: number;
}

export interface Cell {
  readonly text: string;
  readonly paint?: Paint | undefined;
}

export interface TableOptions {
  readonly width: number;
  readonly headPaint?: Paint;
}

const GAP = '  ';

/** A table without borders that fits the width; the last resort is to cut lines at its edge. Pure. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string)[])[],
  options: TableOptions,
): string {
  const cells = rows.map((row) => columns.map((_, i) => toCell(row[i])));
  const natural = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => visibleLength(row[i]?.text ?? ''))),
  );
  const widths = fit(columns, natural, options.width - 1 - GAP.length * (columns.length - 1));
  const line = (row: readonly Cell[]) =>
    ` ${row.map((cell, i) => paintCell(cell, widths[i] ?? 0, i === row.length - 1)).join(GAP)}`.trimEnd();
  const head = line(columns.map((column) => ({ text: column.title, paint: options.headPaint })));
  return [head, ...cells.map(line)].join('\n');
}

function toCell(cell: Cell | string | undefined): Cell {
  return typeof cell === 'string' ? { text: cell } : (cell ?? { text: '' });
}

function fit(columns: readonly Column[], natural: readonly number[], available: number): number[] {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) - available;
  while (excess > 0) {
    let widest = -1;
    widths.forEach((width, i) => {
      const limit = columns[i]?.shrinkTo;
      if (limit === undefined || width <= limit) return;
      if (widest < 0 || width > (widths[widest] ?? 0)) widest = i;
    });
    if (widest < 0) return widths;
    widths[widest] = (widths[widest] ?? 1) - 1;
    excess -= 1;
  }
  return widths;
}

function paintCell(cell: Cell, width: number, last: boolean): string {
  const text = clip(cell.text, width);
  const padding = last ? '' : ' '.repeat(Math.max(0, width - visibleLength(text)));
  return (cell.paint ? cell.paint(text) : text) + padding;
}

function clip(text: string, width: number): string {
  const points = [...text];
  if (points.length <= width) return text;
  return width <= 1 ? points.slice(0, width).join('') : `${points.slice(0, width - 1).join('')}…`;
}

function visibleLength(text: string): number {
  return [...text].length;
}
