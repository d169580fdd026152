import type { Wire } from '@dstack/core';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';

/**
 * Archives are their uploader's: the id, which every member sees in a run, is not the way to their content. What a run has
 * (`kept`) it keeps when another member updates it. @throws {ResourceNotExistsError} also for one that is there, but another's
 */
export async function requireOwnArchives(
  tx: ReadTx,
  callerId: string,
  spec: Wire.RunSpec,
  kept: Wire.RunSpec | null,
): Promise<void> {
  const known = new Set((kept?.file_archives ?? []).map(({ id }) => id));
  const asked = [...new Set((spec.file_archives ?? []).map(({ id }) => id))].filter((id) => !known.has(id));
  if (asked.length === 0) return;
  const ids = inList('id', asked);
  const own = await tx.query<{ id: string }>(`SELECT id FROM file_archives WHERE user_id = ? AND ${ids.sql}`, [
    callerId,
    ...ids.params,
  ]);
  if (own.length === asked.length) return;
  throw new ResourceNotExistsError(
    'An archive of `files` is not among the uploads of the user who applies. Apply again',
  );
}
