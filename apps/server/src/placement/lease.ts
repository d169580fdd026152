import type { Database } from '../persistence/database.js';

/** A name in the table of leases that one server holds at a time, by the database's clock. */
export async function takeLease(db: Database, name: string, holder: string, ttlMs: number): Promise<number | null> {
  return db.write(async (tx) => {
    const now = await tx.now();
    await tx.execute('INSERT INTO leases (name, token) VALUES (?, 0) ON CONFLICT (name) DO NOTHING', [name]);
    const rows = await tx.query<{ token: number }>(
      `UPDATE leases SET token = CASE WHEN holder = ? THEN token ELSE token + 1 END, holder = ?, expires_at = ?
       WHERE name = ? AND (holder IS NULL OR holder = ? OR expires_at IS NULL OR expires_at <= ?) RETURNING token`,
      [holder, holder, now + ttlMs, name, holder, now],
    );
    const [row] = rows;
    return row === undefined ? null : Number(row.token);
  });
}

/** Lets the next server do it at once. */
export async function releaseLease(db: Database, name: string, holder: string): Promise<void> {
  await db.write((tx) =>
    tx.execute('UPDATE leases SET expires_at = NULL WHERE name = ? AND holder = ?', [name, holder]),
  );
}
