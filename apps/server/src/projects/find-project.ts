import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx } from '../persistence/transaction.js';

export interface ProjectFacts {
  readonly id: string;
  readonly name: string;
  readonly ssh_public_key: string;
}

const projectsById = rowsByKey<ProjectFacts, ProjectFacts>({
  select: 'SELECT id, name, ssh_public_key FROM projects',
  key: 'id',
  read: (_tx, row) => row,
});

/** Its name and public key, deleted or not. */
export async function findProject(tx: ReadTx, id: string): Promise<ProjectFacts | null> {
  return (await projectsById(tx, id))[0] ?? null;
}
