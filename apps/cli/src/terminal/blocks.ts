import { type Cell, type Column, renderTable, type TableOptions } from './table.js';

/** Rows of a table, and the sentences below them that no column has room for. */
export interface Block {
  readonly rows: readonly (readonly (Cell | string)[])[];
  readonly below: readonly string[];
}

/** Pure. */
export function renderBlocks(columns: readonly Column[], blocks: readonly Block[], options: TableOptions): string {
  const rows = blocks.flatMap((block) => block.rows);
  const [title = '', ...lines] = renderTable(columns, rows, options).split('\n');
  return [title, ...blocks.flatMap((block) => [...lines.splice(0, block.rows.length), ...block.below])].join('\n');
}
