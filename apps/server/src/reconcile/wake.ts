import { Injectable } from '@nestjs/common';
import { anyOf } from '../persistence/any-of.js';
import { inOrder } from '../persistence/in-order.js';
import type { WriteTx } from '../persistence/transaction.js';
import { type HostTopic, Notices, type Topic } from './notices.js';
import { RECONCILED_TABLES, type ReconciledTable } from './reconciled-table.js';

/** As commits take the rows of several tables: two that wake the same rows never wait for each other. */
const ORDER: readonly ReconciledTable[] = [...RECONCILED_TABLES].sort();

type DueRows = Map<ReconciledTable, Set<string>>;

/** Makes rows due in the transaction that gives the reason, and tells the loops after it is committed. */
@Injectable()
export class Wake {
  private readonly due = new WeakMap<WriteTx, DueRows>();

  constructor(private readonly notices: Notices) {}

  /** When all else is written: many reasons to look at a row are one, and what a commit writes about its own row comes first. */
  async rows(tx: WriteTx, table: ReconciledTable, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const due = this.due.get(tx) ?? this.begin(tx);
    const rows = due.get(table) ?? new Set();
    due.set(table, rows);
    for (const id of ids) rows.add(id);
    this.topic(tx, table);
  }

  topic(tx: WriteTx, topic: Topic): void {
    tx.afterCommit(() => this.notices.notify(topic));
  }

  /** Other replicas of the run are ready than before: those who send them requests are told. */
  replicas(tx: WriteTx, runId: string): void {
    tx.afterCommit(() => this.notices.notifyOfReplicas(runId));
  }

  /** A gateway has to be linked to, or to be told something. */
  gateways(tx: WriteTx): void {
    this.topic(tx, 'gateway-links');
  }

  host(tx: WriteTx, topic: HostTopic, instanceId: string): void {
    tx.afterCommit(() => this.notices.notifyOfHosts(topic, [instanceId]));
  }

  private begin(tx: WriteTx): DueRows {
    const due: DueRows = new Map();
    this.due.set(tx, due);
    tx.beforeCommit(async () => {
      for (const table of ORDER) {
        const ids = due.get(table);
        if (ids !== undefined) await makeDue(tx, table, [...ids]);
      }
    });
    return due;
  }
}

async function makeDue(tx: WriteTx, table: ReconciledTable, ids: readonly string[]): Promise<void> {
  const these = anyOf(tx.dialect, 'id', ids);
  const rows = ids.length > 1 ? inOrder(tx.dialect, table, these.sql) : these.sql;
  await tx.execute(`UPDATE ${table} SET wake_seq = wake_seq + 1, next_due_at = ? WHERE ${rows}`, [
    await tx.now(),
    ...these.params,
  ]);
}
