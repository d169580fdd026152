import { anyOf } from '../persistence/any-of.js';
import type { ReadTx } from '../persistence/transaction.js';
import { BATCH, type RetentionTools } from './tools.js';

const UNFINISHED = `deleted = false AND status NOT IN ('terminated', 'failed', 'done')`;

interface SpecRow {
  readonly id: string;
  readonly run_spec: string;
  /** While it is being updated to another one. */
  readonly former_run_spec: string | null;
}

/** What specifications of runs say of uploads. */
interface NamedUploads {
  readonly repo_code_hash?: string | null;
  readonly file_archives?: readonly { readonly id: string }[] | null;
}

/** Those that no unfinished run needs: it may be started on another machine. @returns how many */
export async function deleteOldUploads({ db }: RetentionTools, before: number | null): Promise<number> {
  if (before === null) return 0;
  const used = await db.read(usedUploads);
  const archives = await deleteUnused('file_archives', 'id', used.archives);
  return archives + (await deleteUnused('codes', 'blob_hash', used.codes));

  async function deleteUnused(table: string, key: string, kept: ReadonlySet<string>): Promise<number> {
    let total = 0;
    let after = '';
    for (;;) {
      const rows = await db.read((tx) =>
        tx.query<{ id: string; used_by: string }>(
          `SELECT id, ${key} AS used_by FROM ${table} WHERE created_at < ? AND id > ? ORDER BY id LIMIT ?`,
          [before, after, BATCH],
        ),
      );
      const last = rows.at(-1);
      if (last === undefined) return total;
      after = last.id;
      const unused = rows.filter((row) => !kept.has(row.used_by)).map(({ id }) => id);
      if (unused.length > 0)
        total += await db.write((tx) => {
          const these = anyOf(tx.dialect, 'id', unused);
          // One that was asked for meanwhile counts as new.
          return tx.execute(`DELETE FROM ${table} WHERE ${these.sql} AND created_at < ?`, [...these.params, before]);
        });
    }
  }
}

async function usedUploads(tx: ReadTx): Promise<{ readonly archives: Set<string>; readonly codes: Set<string> }> {
  const [archives, codes] = [new Set<string>(), new Set<string>()];
  let after = '';
  for (;;) {
    const rows = await tx.query<SpecRow>(
      `SELECT id, run_spec, former_run_spec FROM runs WHERE ${UNFINISHED} AND id > ? ORDER BY id LIMIT ?`,
      [after, BATCH],
    );
    const last = rows.at(-1);
    if (last === undefined) return { archives, codes };
    after = last.id;
    for (const text of rows.flatMap(({ run_spec: now, former_run_spec: former }) =>
      former === null ? [now] : [now, former],
    )) {
      const spec = JSON.parse(text) as NamedUploads; // written by ourselves
      for (const { id } of spec.file_archives ?? []) archives.add(id);
      if (typeof spec.repo_code_hash === 'string') codes.add(spec.repo_code_hash);
    }
  }
}
