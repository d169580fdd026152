import type { SqlValue } from './transaction.js';

export interface KeysetPage {
  readonly dateColumn: string;
  readonly idColumn: string;
  readonly previousDate: number | null;
  readonly previousId: string | null;
  readonly ascending: boolean;
}

export interface SqlCondition {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** The page after the last item a client saw. Dates fall and ids rise; `ascending` turns both around. */
export function keyset(page: KeysetPage): SqlCondition & { readonly orderBy: string } {
  const { dateColumn, idColumn, previousDate, previousId, ascending } = page;
  const orderBy = ascending ? `${dateColumn} ASC, ${idColumn} DESC` : `${dateColumn} DESC, ${idColumn} ASC`;
  if (previousDate === null) return { sql: '1 = 1', params: [], orderBy };
  const later = ascending ? '>' : '<';
  if (previousId === null) return { sql: `${dateColumn} ${later} ?`, params: [previousDate], orderBy };
  const nextId = ascending ? '<' : '>';
  return {
    // The first condition is what an index is entered by: with an OR alone it would be read from its beginning.
    sql: `${dateColumn} ${later}= ? AND (${dateColumn} ${later} ? OR ${idColumn} ${nextId} ?)`,
    params: [previousDate, previousDate, previousId],
    orderBy,
  };
}
