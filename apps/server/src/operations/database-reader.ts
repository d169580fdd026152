import { existsSync } from 'node:fs';
import pg from 'pg';
import type { DatabaseLocation } from '../persistence/database-url.js';
import { sqliteDriver } from '../persistence/sqlite-connection.js';

/** Reads a database beside a server that may be using it; changes nothing, not even its version. */
export interface DatabaseReader {
  query<Row extends object>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;

/** Null where there is no database yet. */
export async function openReader(location: DatabaseLocation): Promise<DatabaseReader | null> {
  if (location.dialect === 'sqlite') {
    if (!existsSync(location.path)) return null;
    const database = new sqliteDriver(location.path, { readonly: true, fileMustExist: true, timeout: CONNECT_MS });
    return {
      query: async <Row extends object>(sql: string) => database.prepare<[], Row>(sql).all(),
      close: async () => void database.close(),
    };
  }
  const client = new pg.Client({ connectionString: location.url, connectionTimeoutMillis: CONNECT_MS });
  client.on('error', () => undefined); // told by the query that fails
  await client.connect();
  return {
    query: async <Row extends object>(sql: string) => (await client.query(sql)).rows as Row[],
    close: () => client.end(),
  };
}
