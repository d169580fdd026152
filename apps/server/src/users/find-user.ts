import { rowsByKey } from '../persistence/rows-by-key.js';
import type { ReadTx } from '../persistence/transaction.js';

export interface UserFacts {
  readonly id: string;
  readonly name: string;
  readonly ssh_public_key: string | null;
}

const usersById = rowsByKey<UserFacts, UserFacts>({
  select: 'SELECT id, name, ssh_public_key FROM users',
  key: 'id',
  read: (_tx, row) => row,
});

/** Its name and public key, deleted or not. */
export async function findUser(tx: ReadTx, id: string): Promise<UserFacts | null> {
  return (await usersById(tx, id))[0] ?? null;
}
