import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import type { WriteTx } from '../persistence/transaction.js';
import type { CatalogState } from './catalog-state.js';

interface Row {
  readonly cloud: string;
  readonly read_at: number | null;
  readonly tried_at: number | null;
  readonly failures: number;
  readonly error: string | null;
  readonly notes: string | null;
  readonly etag: string | null;
  readonly wanted: CatalogState['wanted'];
}

export interface ReadCatalog {
  readonly file: Buffer;
  readonly notes: readonly string[];
  readonly etag: string | null;
}

/** Catalogs that were read, in the database: every replica and the next start have them. */
@Injectable()
export class CatalogStore {
  constructor(@Inject(Database) private readonly db: Database) {}

  async states(): Promise<CatalogState[]> {
    const rows = await this.db.read((tx) =>
      tx.query<Row>(
        'SELECT cloud, read_at, tried_at, failures, error, notes, etag, wanted FROM catalogs ORDER BY cloud',
      ),
    );
    return rows.map((row) => ({
      cloud: row.cloud,
      readAt: row.read_at === null ? null : Number(row.read_at),
      triedAt: row.tried_at === null ? null : Number(row.tried_at),
      failures: row.failures,
      error: row.error,
      notes: row.notes === null ? [] : row.notes.split('\n'),
      etag: row.etag,
      wanted: row.wanted,
    }));
  }

  async file(cloud: string): Promise<Buffer | null> {
    const [row] = await this.db.read((tx) =>
      tx.query<{ file: Buffer | null }>('SELECT file FROM catalogs WHERE cloud = ?', [cloud]),
    );
    return row?.file ?? null;
  }

  /** Null: it was looked at, and is as it was. */
  async succeeded(tx: WriteTx, cloud: string, catalog: ReadCatalog | null): Promise<void> {
    const now = await tx.now();
    await this.ensure(tx, cloud);
    const settled = 'tried_at = ?, failures = 0, error = NULL, wanted = NULL';
    if (catalog === null) {
      await tx.execute(`UPDATE catalogs SET ${settled} WHERE cloud = ?`, [now, cloud]);
      return;
    }
    const { file, notes, etag } = catalog;
    await tx.execute(`UPDATE catalogs SET ${settled}, file = ?, read_at = ?, notes = ?, etag = ? WHERE cloud = ?`, [
      now,
      file,
      now,
      notes.length === 0 ? null : notes.join('\n'),
      etag,
      cloud,
    ]);
  }

  async failed(tx: WriteTx, cloud: string, error: string): Promise<void> {
    await this.ensure(tx, cloud);
    await tx.execute(
      'UPDATE catalogs SET tried_at = ?, failures = failures + 1, error = ?, wanted = NULL WHERE cloud = ?',
      [await tx.now(), error, cloud],
    );
  }

  async want(tx: WriteTx, cloud: string, wanted: 'due' | 'forced'): Promise<void> {
    await this.ensure(tx, cloud);
    await tx.execute('UPDATE catalogs SET wanted = ? WHERE cloud = ?', [wanted, cloud]);
  }

  private async ensure(tx: WriteTx, cloud: string): Promise<void> {
    await tx.execute('INSERT INTO catalogs (cloud, failures) VALUES (?, 0) ON CONFLICT (cloud) DO NOTHING', [cloud]);
  }
}
