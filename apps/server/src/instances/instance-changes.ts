import { statusText } from '@dstack/backend-base';
import { inserter } from '../persistence/insert-rows.js';
import { updateById } from '../persistence/update-by-id.js';
import type { WriteTx } from '../persistence/transaction.js';
import { writeJson } from '../reconcile/stored-json.js';
import type { MachineRecord } from './instance-record.js';

export const changeInstance = updateById({
  table: 'instances',
  values: {
    status: 'text',
    now: 'bigint',
    reason: 'text',
    message: 'text',
    started_at: 'bigint',
    finished_at: 'bigint',
    idle_since: 'bigint',
    deleted: 'boolean',
  },
  set: (value) =>
    `status = ${value('status')}, status_changed_at = ${value('now')},
     termination_reason = COALESCE(${value('reason')}, t.termination_reason),
     termination_message = COALESCE(${value('message')}, t.termination_message),
     started_at = COALESCE(t.started_at, ${value('started_at')}), finished_at = COALESCE(t.finished_at, ${value('finished_at')}),
     idle_since = ${value('idle_since')}, deleted = ${value('deleted')}`,
});

/** Where it is tried now. */
export const changePlace = updateById({
  table: 'instances',
  values: {
    offer: 'text',
    price: 'double precision',
    backend_type: 'text',
    region: 'text',
    zone: 'text',
    cloud_name: 'text',
    total_blocks: 'integer',
  },
  set: (value) =>
    `offer = ${value('offer')}, price = ${value('price')}, backend_type = ${value('backend_type')}, region = ${value('region')},
     zone = ${value('zone')}, cloud_name = ${value('cloud_name')}, total_blocks = ${value('total_blocks')}`,
});

const changeMachine = updateById({
  table: 'instances',
  values: { machine: 'text' },
  set: (value) => `machine = ${value('machine')}`,
});

export function writeMachine(tx: WriteTx, id: string, machine: MachineRecord): Promise<void> {
  return changeMachine(tx, { id, machine: writeJson(machine) });
}

export async function setLastError(tx: WriteTx, id: string, error: unknown, limit?: number): Promise<void> {
  await tx.execute('UPDATE instances SET last_error = ? WHERE id = ?', [statusText(error, limit), id]);
}

/** Before its create call. */
export const insertAttempt = inserter('provisioning_attempts', [
  'id', 'instance_id', 'attempt', 'offer', 'backend_type', 'region', 'zone', 'cloud_name', 'token', 'created_at',
]); // prettier-ignore

const changeOutcome = updateById({
  table: 'provisioning_attempts',
  values: { outcome: 'text', message: 'text', finished_at: 'bigint' },
  set: (value) =>
    `outcome = ${value('outcome')}, message = COALESCE(${value('message')}, t.message), finished_at = ${value('finished_at')}`,
});

export function finishAttempt(
  tx: WriteTx,
  id: string,
  outcome: 'created' | 'failed',
  message: string | null,
  now: number,
): Promise<void> {
  return changeOutcome(tx, { id, outcome, message, finished_at: now });
}

const changeAskedAt = updateById({
  table: 'provisioning_attempts',
  values: { asked_at: 'bigint' },
  set: (value) => `asked_at = ${value('asked_at')}`,
});

export function setAskedAt(tx: WriteTx, id: string, askedAt: number | null): Promise<void> {
  return changeAskedAt(tx, { id, asked_at: askedAt });
}
