import { RECONCILED } from '../invariants/change-log.js';
import type { Faults } from '../faults.js';
import type { RandomSource } from '../random-source.js';
import type { Story } from '../story.js';
import type { VirtualTime } from '../time/virtual-time.js';
import type { SimulatedDatabase } from './simulated-database.js';

export interface LeaseExpiry {
  readonly time: VirtualTime;
  readonly random: RandomSource;
  readonly faults: Faults;
  readonly story: Story;
  readonly database: SimulatedDatabase;
}

/** As if servers had been too slow to renew: whoever comes next may take the row, and the slow one must not write. */
export function planLeaseExpiry(world: LeaseExpiry): void {
  const { time, random, faults, story, database } = world;
  time.after(random.between(1, 2 * faults.leaseExpiryMs), () => {
    const now = database.clock.now();
    const rows = RECONCILED.flatMap((table) => expireRows(database, table, now));
    if (rows.length > 0) story.tell(`leases run out: ${rows.join(', ')}`);
    if (database.isShared && random.chance(0.1)) expireOthers(world, now);
    planLeaseExpiry(world);
  });
}

function expireRows({ connection }: SimulatedDatabase, table: string, now: number): string[] {
  const sql = `UPDATE ${table} SET lease_expires_at = ?, next_due_at = ? WHERE lease_expires_at > ? RETURNING id`;
  const rows = connection.prepare(sql).all(now, now, now) as { id: string }[]; // as the migrations shape them
  return rows.map(({ id }) => id);
}

function expireOthers({ story, database: { connection } }: LeaseExpiry, now: number): void {
  story.tell('all leases of connections and of placement run out');
  for (const table of ['instances', 'gateway_replicas'])
    connection.prepare(`UPDATE ${table} SET connection_expires_at = ? WHERE connection_expires_at > ?`).run(now, now);
  connection.prepare('UPDATE leases SET expires_at = ? WHERE expires_at > ?').run(now, now);
}
