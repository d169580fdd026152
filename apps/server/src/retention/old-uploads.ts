import { archiveKey, codeKey } from '../files/blob-store.js';
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

interface UploadRow {
  readonly id: string;
  /** What runs name it by. */
  readonly used_by: string;
  readonly hash: string;
  /** The user, or the project. */
  readonly owner: string;
  readonly repo: string;
  readonly in_bucket: boolean | number;
}

interface UploadTable {
  readonly table: string;
  readonly select: string;
  /** Where it is in a bucket. */
  readonly keyOf: (row: UploadRow) => string;
}

const ARCHIVES: UploadTable = {
  table: 'file_archives',
  select: `SELECT u.id, u.id AS used_by, u.blob_hash AS hash, u.user_id AS owner, '' AS repo, u.content IS NULL AS in_bucket
    FROM file_archives u`,
  keyOf: ({ owner, hash }) => archiveKey(owner, hash),
};

const CODES: UploadTable = {
  table: 'codes',
  select: `SELECT u.id, u.blob_hash AS used_by, u.blob_hash AS hash, coalesce(p.original_name, p.name) AS owner, r.name AS repo,
      u.content IS NULL AS in_bucket
    FROM codes u JOIN repos r ON r.id = u.repo_id JOIN projects p ON p.id = r.project_id`,
  keyOf: ({ owner, repo, hash }) => codeKey(owner, repo, hash),
};

/** What specifications of runs say of uploads. */
interface NamedUploads {
  readonly repo_code_hash?: string | null;
  readonly file_archives?: readonly { readonly id: string }[] | null;
}

/** Those that no unfinished run needs: it may be started on another machine. @returns how many */
export async function deleteOldUploads({ db, uploads }: RetentionTools, before: number | null): Promise<number> {
  if (before === null) return 0;
  const used = await db.read(usedUploads);
  const archives = await deleteUnused(ARCHIVES, used.archives);
  return archives + (await deleteUnused(CODES, used.codes));

  async function deleteUnused({ table, select, keyOf }: UploadTable, kept: ReadonlySet<string>): Promise<number> {
    let total = 0;
    let after = '';
    for (;;) {
      const rows = await db.read((tx) =>
        tx.query<UploadRow>(`${select} WHERE u.created_at < ? AND u.id > ? ORDER BY u.id LIMIT ?`, [
          before,
          after,
          BATCH,
        ]),
      );
      const last = rows.at(-1);
      if (last === undefined) return total;
      after = last.id;
      const unused = rows.filter((row) => !kept.has(row.used_by));
      if (unused.length === 0) continue;
      const deleted = await db.write((tx) => {
        const these = anyOf(tx.dialect, 'id', unused.map(({ id }) => id)); // prettier-ignore
        // One that was asked for meanwhile counts as new.
        const sql = `DELETE FROM ${table} WHERE ${these.sql} AND created_at < ? RETURNING id`;
        return tx.query<{ id: string }>(sql, [...these.params, before]);
      });
      const gone = new Set(deleted.map(({ id }) => id));
      await uploads.delete(unused.filter(({ id, in_bucket: is }) => gone.has(id) && Boolean(is)).map(keyOf));
      total += deleted.length;
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
