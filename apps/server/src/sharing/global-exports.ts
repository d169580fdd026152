import type { WriteTx } from '../persistence/transaction.js';
import type { World } from '../world/world.js';

type Named = Pick<World, 'ids'>;

/** What is shared with every project is shared with a new one too. */
export async function importGlobalExports(tx: WriteTx, { ids }: Named, projectId: string): Promise<void> {
  const exports = await tx.query<{ id: string }>('SELECT id FROM exports WHERE is_global = true AND project_id <> ?', [
    projectId,
  ]);
  const now = await tx.now();
  for (const each of exports) await insertImport(tx, { id: ids.uuid(), projectId, exportId: each.id, now });
}

/** Returns the projects that did not import it before. */
export async function importEverywhere(
  tx: WriteTx,
  { ids }: Named,
  own: { readonly exportId: string; readonly projectId: string },
): Promise<string[]> {
  const projects = await tx.query<{ id: string }>(
    `SELECT id FROM projects WHERE deleted = false AND id <> ? AND id NOT IN (SELECT project_id FROM imports WHERE export_id = ?)`,
    [own.projectId, own.exportId],
  );
  const now = await tx.now();
  for (const { id } of projects) await insertImport(tx, { id: ids.uuid(), projectId: id, exportId: own.exportId, now });
  return projects.map(({ id }) => id);
}

export async function insertImport(
  tx: WriteTx,
  made: { readonly id: string; readonly projectId: string; readonly exportId: string; readonly now: number },
): Promise<void> {
  await tx.execute('INSERT INTO imports (id, project_id, export_id, created_at) VALUES (?, ?, ?, ?)', [
    made.id,
    made.projectId,
    made.exportId,
    made.now,
  ]);
}
