import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildColumns, encodeCatalog } from '@dstack/catalog';
import { DATA_DIRECTORY } from './data-directory.js';
import { readTable, TableError } from './read-table.js';
import type { Table } from './tables.js';

export interface Packed {
  readonly rows: number;
  readonly types: number;
  readonly bytes: number;
}

/** Writes the cloud's file of `@dstack/catalog` from its tables. @throws {TableError} naming file and line */
export function pack(cloud: string, tables: readonly Table[], directory: string): Packed {
  const rows = tables.flatMap(({ file, sourceOf }) => {
    try {
      return readTable(readFileSync(join(directory, file), 'utf8'), sourceOf);
    } catch (error) {
      throw error instanceof TableError ? new TableError(`${file}, ${error.message}`) : error;
    }
  });
  const columns = buildColumns(rows);
  const file = encodeCatalog(columns);
  writeFileSync(join(DATA_DIRECTORY, `${cloud}.catalog`), file);
  return { rows: rows.length, types: columns.types.length, bytes: file.length };
}
