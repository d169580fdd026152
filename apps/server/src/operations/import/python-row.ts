import type { DatabaseReader } from '../database-reader.js';
import { OperationError } from '../operation-error.js';

export type Cell = string | number | boolean | null;

/** A column of a time, for `SELECT`. Both engines give the same text: drivers would read it in the time zone of this machine. */
export const time = (column: string): string => `CAST(${column} AS text) AS ${column}`;

/** A row of a database of dstack 0.21, read in our words: ids are UUIDs with dashes, times Unix milliseconds. */
export class PythonRow {
  constructor(private readonly cells: Readonly<Record<string, Cell>>) {}

  cell(column: string): Cell {
    return this.cells[column] ?? null;
  }

  text(column: string): string {
    return String(this.cell(column));
  }

  textOrNull(column: string): string | null {
    const cell = this.cell(column);
    return typeof cell === 'string' ? cell : null;
  }

  number(column: string): number {
    return Number(this.cell(column));
  }

  isTrue(column: string): boolean {
    const cell = this.cell(column);
    return cell === true || cell === 1;
  }

  uuid(column: string): string {
    const hex = this.text(column).replaceAll('-', '');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  millis(column: string): number {
    return Date.parse(`${this.text(column).replace(' ', 'T')}Z`);
  }

  /** @throws {OperationError} */
  oneOf<T extends string>(known: readonly T[], column: string): T {
    const text = this.text(column).toLowerCase();
    const found = known.find((value) => value === text);
    if (found === undefined) throw new OperationError(`The database holds a role that is not known here: ${text}.`);
    return found;
  }
}

export async function pythonRows(reader: DatabaseReader, sql: string): Promise<PythonRow[]> {
  return (await reader.query<Readonly<Record<string, Cell>>>(sql)).map((cells) => new PythonRow(cells));
}
