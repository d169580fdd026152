import type { ReadTx } from '../persistence/transaction.js';
import { archiveKey, codeKey } from './blob-store.js';
import type { StoredUpload } from './uploads.js';

export interface UploadSelector {
  readonly repoId: string | null;
  /** Ids of the archives that the job has. */
  readonly archives: readonly string[];
  readonly hash: string;
}

/** What a job names by its hash, among what is its own. */
export async function findUpload(tx: ReadTx, { repoId, archives, hash }: UploadSelector): Promise<StoredUpload | null> {
  const [code] = await tx.query<{ content: Buffer | null; repo: string; project: string }>(
    `SELECT c.content, r.name AS repo, coalesce(p.original_name, p.name) AS project
       FROM codes c JOIN repos r ON r.id = c.repo_id JOIN projects p ON p.id = r.project_id
      WHERE c.repo_id = ? AND c.blob_hash = ?`,
    [repoId, hash],
  );
  if (code !== undefined) return { hash, content: code.content, key: codeKey(code.project, code.repo, hash) };
  for (const id of archives) {
    const [archive] = await tx.query<{ content: Buffer | null; user_id: string }>(
      'SELECT content, user_id FROM file_archives WHERE id = ? AND blob_hash = ?',
      [id, hash],
    );
    if (archive !== undefined) return { hash, content: archive.content, key: archiveKey(archive.user_id, hash) };
  }
  return null;
}
