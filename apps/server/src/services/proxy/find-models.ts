import type { ReadTx } from '../../persistence/transaction.js';
import { findRuns } from '../../runs/run-record.js';
import type { Wire } from '@dstack/core';

/** A model that a service of a project serves. */
export interface FoundModel {
  readonly name: string;
  readonly runName: string;
  readonly submittedAt: number;
  /** Of the service's own API. */
  readonly prefix: string;
  readonly format: 'openai' | 'tgi';
}

const ACTIVE: readonly Wire.RunStatus[] = ['pending', 'submitted', 'provisioning', 'running'];

/** Of several services of one model the newest counts; in the order of their names. */
export async function findModels(tx: ReadTx, projectName: string): Promise<FoundModel[]> {
  const runs = await findRuns(
    tx,
    `deleted = ? AND status IN (${ACTIVE.map(() => '?').join(', ')}) AND service_spec IS NOT NULL
       AND project_id IN (SELECT id FROM projects WHERE name = ? AND deleted = ?) ORDER BY submitted_at`,
    [false, ...ACTIVE, projectName, false],
  );
  const byName = new Map<string, FoundModel>();
  for (const { name: runName, submittedAt, spec } of runs) {
    const model = spec.configuration.type === 'service' ? (spec.configuration.model ?? null) : null;
    if (model === null || typeof model === 'string') continue;
    const prefix = 'prefix' in model ? (model.prefix ?? '/v1') : '/v1';
    const format = model.format === 'tgi' ? 'tgi' : 'openai';
    byName.set(model.name, { name: model.name, runName, submittedAt, prefix, format });
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
