import type { Paint } from './style.js';

export interface Column {
  readonly title: string;
  /** Narrowest this column may become when the terminal is too small; absent: it never shrinks. */
  readonly shrinkTo?: number;
  /** Left out where it would have less room than that: what others show is worth more. */
  readonly expendable?: boolean;
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
/** What a column that may shrink comes down to before the table is wider than the terminal. */
const NARROWEST = 4;

/**
 * A table without borders. What does not fit the width loses empty columns first, then the ends of
 * long cells, then expendable columns. Pure.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly (Cell | string)[])[],
  options: TableOptions,
): string {
  const cells = rows.map((row) => columns.map((_, i) => toCell(row[i])));
  const whole = layOut(columns, cells, options);
  if (whole.fits) return whole.text;
  const isEmpty = columns.map((_, i) => cells.length > 0 && cells.every((row) => row[i]?.text === ''));
  const kept = <T>(row: readonly T[]) => row.filter((_, i) => !isEmpty[i]);
  const filled = layOut(kept(columns), cells.map(kept), options);
  if (filled.isReadable) return filled.text;
  const needed = <T>(row: readonly T[]) => row.filter((_, i) => !isEmpty[i] && columns[i]?.expendable !== true);
  return layOut(needed(columns), cells.map(needed), options).text;
}

interface Layout {
  readonly text: string;
  /** Every cell is there whole. */
  readonly fits: boolean;
  /** No column is narrower than it may become. */
  readonly isReadable: boolean;
}

function layOut(columns: readonly Column[], cells: readonly (readonly Cell[])[], options: TableOptions): Layout {
  const natural = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => visibleLength(row[i]?.text ?? ''))),
  );
  const available = options.width - 1 - GAP.length * (columns.length - 1);
  const limits = columns.map((column) => column.shrinkTo);
  const shrunk = shrink(natural, limits, available);
  const widths = shrink(
    shrunk,
    limits.map((limit) => limit && Math.min(limit, NARROWEST)),
    available,
  );
  const line = (row: readonly Cell[]) =>
    ` ${row.map((cell, i) => paintCell(cell, widths[i] ?? 0, i === row.length - 1)).join(GAP)}`.trimEnd();
  const head = line(columns.map((column) => ({ text: column.title, paint: options.headPaint })));
  const sum = (all: readonly number[]) => all.reduce((total, width) => total + width, 0);
  return {
    text: [head, ...cells.map(line)].join('\n'),
    fits: sum(natural) <= available,
    isReadable: sum(shrunk) <= available,
  };
}

function toCell(cell: Cell | string | undefined): Cell {
  return typeof cell === 'string' ? { text: cell } : (cell ?? { text: '' });
}

/** Takes from the widest column first, from none below its limit; one without a limit keeps its width. */
function shrink(from: readonly number[], limits: readonly (number | undefined)[], available: number): number[] {
  const widths = [...from];
  let excess = widths.reduce((sum, width) => sum + width, 0) - available;
  while (excess > 0) {
    let widest = -1;
    widths.forEach((width, i) => {
      const limit = limits[i];
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
