import type { MachineRef, MachineState } from '@dstack/backend-base';
import type { TensorDockInstance } from './schema.js';

const SSH_USER = 'user';
const GONE: ReadonlySet<string> = new Set(['deleting', 'deleted']);
const FAILED: ReadonlySet<string> = new Set(['error', 'failed', 'stopping', 'stopped', 'stoppeddisassociated']);

/** It may be `running` while it is still being installed: whether SSH answers is seen by whoever logs in. */
export function stateOf({ status, ipAddress: ip }: TensorDockInstance, ref: MachineRef): MachineState {
  const state = status.toLowerCase();
  if (GONE.has(state)) return { state: 'gone' };
  if (FAILED.has(state)) return { state: 'failed', ref, message: `TensorDock says ${state}` };
  if (state !== 'running' || !ip) return { state: 'pending', ref, reason: state };
  const agent = { via: 'login', host: ip, port: 22, user: SSH_USER, jump: null } as const;
  return { state: 'ready', ref, agent, hostname: ip, internalIp: null };
}

export function isGone({ status }: TensorDockInstance): boolean {
  return GONE.has(status.toLowerCase());
}
