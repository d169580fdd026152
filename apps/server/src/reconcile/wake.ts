import { Injectable } from '@nestjs/common';
import type { WriteTx } from '../persistence/transaction.js';
import { type HostTopic, Notices, type Topic } from './notices.js';
import type { ReconciledTable } from './reconciled-table.js';

/** Makes rows due in the transaction that gives the reason, and tells the loops after it is committed. */
@Injectable()
export class Wake {
  constructor(private readonly notices: Notices) {}

  async rows(tx: WriteTx, table: ReconciledTable, ids: readonly string[]): Promise<void> {
    const now = await tx.now();
    // In one order everywhere: two that wake the same rows never wait for each other.
    for (const id of [...new Set(ids)].sort()) {
      await tx.execute(`UPDATE ${table} SET wake_seq = wake_seq + 1, next_due_at = ? WHERE id = ?`, [now, id]);
    }
    if (ids.length > 0) this.topic(tx, table);
  }

  topic(tx: WriteTx, topic: Topic): void {
    tx.afterCommit(() => this.notices.notify(topic));
  }

  /** Other replicas of the run are ready than before: those who send them requests are told. */
  replicas(tx: WriteTx, runId: string): void {
    tx.afterCommit(() => this.notices.notifyOfReplicas(runId));
  }

  host(tx: WriteTx, topic: HostTopic, instanceId: string): void {
    tx.afterCommit(() => this.notices.notifyOfHosts(topic, [instanceId]));
  }
}
