import { Injectable } from '@nestjs/common';
import { costUsd, type PricedInterval, within } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { ClientError } from '../http/api-errors.js';
import { fromWireTime, toWireTime } from '../http/wire-time.js';
import { Database } from '../persistence/database.js';
import type { ReadTx } from '../persistence/transaction.js';
import type { CostQuery } from './cost-query.dto.js';
import { FAILED, HELD, type HeldRow, intervalOf } from './held-machines.js';

/** US dollars. */
export interface ProjectCost {
  readonly project_name: string;
  /** Of all machines, from their creation until they were gone. */
  readonly cost: number;
  /** Part of it: machines that no job had, because they were idle or their fleet wants them. */
  readonly unused_cost: number;
  readonly users: readonly { readonly username: string; readonly cost: number }[];
}

export interface Costs {
  readonly since: string;
  readonly until: string;
  readonly projects: readonly ProjectCost[];
}

interface Time {
  readonly since: number;
  readonly until: number;
}

const DEFAULT_TIME_MS = 30 * 24 * 3_600_000;
const IN_TIME = 'p.started_at < ? AND (p.ended_at IS NULL OR p.ended_at > ?)';

/** What machines have cost, by project and by the user whose runs had them. */
@Injectable()
export class CostsService {
  constructor(private readonly db: Database) {}

  /** Of the projects that the caller is a member of; an administrator sees all. */
  list(caller: Caller, query: CostQuery): Promise<Costs> {
    return this.db.read(async (tx) => {
      const now = await tx.now();
      const until = Math.min(now, query.until === undefined ? now : fromWireTime(query.until));
      const since = query.since === undefined ? until - DEFAULT_TIME_MS : fromWireTime(query.since);
      if (since > until) throw new ClientError('`since` is later than `until`');
      const time = { since, until };
      const projects = await projectsOf(tx, caller);
      const costs = await Promise.all(projects.map((project) => costOf(tx, project, time)));
      return { since: toWireTime(since), until: toWireTime(until), projects: costs };
    });
  }
}

interface Project {
  readonly id: string;
  readonly name: string;
}

async function projectsOf(tx: ReadTx, caller: Caller): Promise<readonly Project[]> {
  const isMember = 'id IN (SELECT project_id FROM members WHERE user_id = ?)';
  const mine = caller.globalRole === 'admin' ? '' : ` AND ${isMember}`;
  return tx.query<Project>(`SELECT id, name FROM projects WHERE deleted = ?${mine} ORDER BY name`, [
    false,
    ...(mine === '' ? [] : [caller.id]),
  ]);
}

async function costOf(tx: ReadTx, { id, name }: Project, time: Time): Promise<ProjectCost> {
  const machines = await tx.query<Pick<HeldRow, 'price' | 'started_at' | 'ended_at'>>(
    `SELECT p.price_usd_per_hour AS price, p.started_at, p.ended_at FROM priced_intervals p WHERE p.project_id = ? AND ${IN_TIME}`,
    [id, time.until, time.since],
  );
  const all = machines.map((row): PricedInterval => {
    const until = row.ended_at === null ? null : Number(row.ended_at);
    return within({ priceUsdPerHour: row.price, from: Number(row.started_at), until }, time);
  });
  const byUser = await heldByUser(tx, id, time);
  const cost = costUsd(all, time.until);
  const used = costUsd([...byUser.values()].flat(), time.until);
  return {
    project_name: name,
    cost,
    unused_cost: Math.max(0, Math.round((cost - used) * 10_000) / 10_000),
    users: [...byUser]
      .map(([username, intervals]) => ({ username, cost: costUsd(intervals, time.until) }))
      .sort((a, b) => b.cost - a.cost || a.username.localeCompare(b.username)),
  };
}

async function heldByUser(tx: ReadTx, projectId: string, time: Time): Promise<Map<string, PricedInterval[]>> {
  const byUser = new Map<string, PricedInterval[]>();
  const [first, second] = await Promise.all(
    [HELD, FAILED].map((held) =>
      tx.query<HeldRow & { readonly username: string }>(
        `SELECT h.*, u.name AS username FROM (${held} WHERE j.project_id = ? AND ${IN_TIME}) h
           JOIN runs r ON r.id = h.run_id JOIN users u ON u.id = r.user_id`,
        [projectId, time.until, time.since],
      ),
    ),
  );
  for (const row of [...(first ?? []), ...(second ?? [])]) {
    const interval = within(intervalOf(row), time);
    byUser.set(row.username, [...(byUser.get(row.username) ?? []), interval]);
  }
  return byUser;
}
