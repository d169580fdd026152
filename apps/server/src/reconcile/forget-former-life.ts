import { inOrder } from '../persistence/in-order.js';
import type { WriteTx } from '../persistence/transaction.js';
import { dropAllLeases } from './claims.js';
import { RECONCILED_TABLES } from './reconciled-table.js';

/** One process owns the database, so every lease in it is of a server that is gone. */
export async function forgetAllLives(tx: WriteTx): Promise<void> {
  for (const table of RECONCILED_TABLES) await dropAllLeases(tx, table);
  // A host that was unreachable before the server stopped gets its full time again: nobody has tried meanwhile.
  await tx.execute(
    'UPDATE instances SET connection_holder = NULL, connection_expires_at = NULL, unreachable_since = NULL WHERE deleted = ?',
    [false],
  );
  await tx.execute('UPDATE gateway_replicas SET connection_holder = NULL, connection_expires_at = NULL', []);
  await tx.execute('UPDATE leases SET expires_at = NULL, holder = NULL', []);
}

/**
 * The leases of one that is gone need not run out. What it still had on its way to the database comes with a token that is old now.
 * @returns the hosts that nobody is connected to any more
 */
export async function forgetLife(tx: WriteTx, holder: string): Promise<readonly string[]> {
  for (const table of RECONCILED_TABLES)
    await tx.execute(
      `UPDATE ${table} SET lease_expires_at = NULL, lease_holder = NULL, lease_token = lease_token + 1
       WHERE ${inOrder(tx.dialect, table, 'lease_holder = ?')}`,
      [holder],
    );
  const hosts = await tx.query<{ id: string }>(
    `UPDATE instances SET connection_holder = NULL, connection_expires_at = NULL
     WHERE ${inOrder(tx.dialect, 'instances', 'connection_holder = ? AND deleted = false')} RETURNING id`,
    [holder],
  );
  await tx.execute(
    `UPDATE gateway_replicas SET connection_holder = NULL, connection_expires_at = NULL
     WHERE ${inOrder(tx.dialect, 'gateway_replicas', 'connection_holder = ?')}`,
    [holder],
  );
  await tx.execute('UPDATE leases SET expires_at = NULL, holder = NULL WHERE holder = ?', [holder]);
  return hosts.map(({ id }) => id);
}
