import { Inject, Injectable } from '@nestjs/common';
import { type Instant, isQuiet, type ServiceTraffic, sumTraffic, type TrafficReport } from '@dstack/core';
import { Database } from '../persistence/database.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { readJson, writeJson } from '../reconcile/stored-json.js';
import { Wake } from '../reconcile/wake.js';

/** A run that is looked at this soon anyway is not woken for it. */
const SOON_MS = 2_000;
const FORGOTTEN_MS = 3_600_000;

/** What the proxies of this and other programs see of services; what is asked for decides how many replicas there are. */
@Injectable()
export class ServiceTrafficStore {
  constructor(
    private readonly db: Database,
    @Inject(Wake) private readonly wake: Wake,
  ) {}

  /**
   * Replaces what `source` (a server replica or a gateway replica) told before. To be told every few seconds while there are requests,
   * and once more when there are none; at once when the first request has to wait. `heardAt`: the proxy may send requests to the replicas of
   * that time still; absent: it knows those of now.
   */
  async report(runId: string, source: string, report: TrafficReport, heardAt: Instant = Infinity): Promise<void> {
    await this.db.write(async (tx) => {
      const now = await tx.now();
      const [known] = await tx.query<{ report: string }>(
        'SELECT report FROM service_traffic WHERE run_id = ? AND source = ?',
        [runId, source],
      );
      // A service that was deleted meanwhile has no row to refer to.
      const written = await tx.execute(
        `INSERT INTO service_traffic (run_id, source, reported_at, report) SELECT id, ?, ?, ? FROM runs WHERE id = ?
         ON CONFLICT (run_id, source) DO UPDATE SET reported_at = excluded.reported_at, report = excluded.report`,
        [source, Math.min(now, heardAt), writeJson(report), runId],
      );
      if (written === 0) return;
      // Servers that are started again sign with other names.
      if (known === undefined) await tx.execute('DELETE FROM service_traffic WHERE run_id = ? AND reported_at < ?', [runId, now - FORGOTTEN_MS]); // prettier-ignore
      const wasQuiet = known === undefined || isQuiet(readJson<TrafficReport>(known.report));
      const isNews = (wasQuiet && !isQuiet(report)) || (report.held > 0 && !(await hasReady(tx, runId)));
      if (isNews && (await isLeftAlone(tx, runId, now))) await this.wake.rows(tx, 'runs', [runId]);
    });
  }

  /** Of all proxies that are alive; without any there is no traffic. */
  read(runId: string, now: Instant): Promise<ServiceTraffic> {
    return this.db.read((tx) => readTraffic(tx, runId, now));
  }
}

export async function readTraffic(tx: ReadTx, runId: string, now: Instant): Promise<ServiceTraffic> {
  const rows = await tx.query<{ reported_at: number; report: string }>(
    'SELECT reported_at, report FROM service_traffic WHERE run_id = ?',
    [runId],
  );
  const reports = rows.map((row) => ({
    reportedAt: Number(row.reported_at),
    report: readJson<TrafficReport>(row.report),
  }));
  return sumTraffic(reports, now);
}

async function hasReady(tx: WriteTx, runId: string): Promise<boolean> {
  const rows = await tx.query('SELECT id FROM jobs WHERE run_id = ? AND registered = true LIMIT 1', [runId]);
  return rows.length > 0;
}

async function isLeftAlone(tx: WriteTx, runId: string, now: Instant): Promise<boolean> {
  const rows = await tx.query('SELECT id FROM runs WHERE id = ? AND (next_due_at IS NULL OR next_due_at > ?)', [
    runId,
    now + SOON_MS,
  ]);
  return rows.length > 0;
}
