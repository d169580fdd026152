import type { ReadTx } from '../../persistence/transaction.js';
import { findRuns } from '../../runs/run-record.js';
import type { Wire } from '@dstack/core';

/** A model that a service of a project serves. */
export interface FoundModel {
  readonly name: string;
  readonly runName: string;
  readonly submittedAt: number;
  readonly api: ModelApi;
}

export type ModelApi =
  /** `prefix` is where the service has the OpenAI API. */
  | { readonly format: 'openai'; readonly prefix: string }
  /** Null: the configuration does not tell. */
  | { readonly format: 'tgi'; readonly chatTemplate: string | null; readonly eosToken: string | null };

const ACTIVE: readonly Wire.RunStatus[] = ['pending', 'submitted', 'provisioning', 'running'];

/** Of several services of one model the newest counts; in the order of their names. */
export async function findModels(tx: ReadTx, projectName: string): Promise<FoundModel[]> {
  const runs = await findRuns(
    tx,
    `deleted = ? AND status IN (${ACTIVE.map(() => '?').join(', ')}) AND service_spec IS NOT NULL AND gateway_id IS NULL
       AND project_id IN (SELECT id FROM projects WHERE name = ? AND deleted = ?) ORDER BY submitted_at`,
    [false, ...ACTIVE, projectName, false],
  );
  const byName = new Map<string, FoundModel>();
  for (const { name: runName, submittedAt, spec } of runs) {
    const model = spec.configuration.type === 'service' ? (spec.configuration.model ?? null) : null;
    if (model === null || typeof model === 'string') continue;
    byName.set(model.name, { name: model.name, runName, submittedAt, api: apiOf(model) });
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function apiOf(model: Wire.OpenAIChatModel | Wire.TGIChatModel): ModelApi {
  if (model.format !== 'tgi') return { format: 'openai', prefix: model.prefix ?? '/v1' };
  return { format: 'tgi', chatTemplate: model.chat_template ?? null, eosToken: model.eos_token ?? null };
}
