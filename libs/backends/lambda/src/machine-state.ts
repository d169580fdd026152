import type { MachineRef, MachineState } from '@dstack/backend-base';
import type { LambdaInstance } from './schema.js';

/** Keys of tags may not hold `_`. */
export const OWNER_TAG = 'dstack-server';
export const TOKEN_TAG = 'dstack-attempt';

const SSH_USER = 'ubuntu';
const GONE: ReadonlySet<string> = new Set(['terminating', 'terminated', 'preempted']);

export function tagOf({ tags }: LambdaInstance, key: string): string | null {
  return tags?.find((tag) => tag.key === key)?.value ?? null;
}

export function refOf(instance: LambdaInstance): MachineRef {
  const { id, name, region } = instance;
  return { cloudName: name ?? '', machineId: id, region: region.name, zone: null, backendData: null };
}

/** It costs money until it is `terminated`; for a job it is gone before. */
export function stateOf(instance: LambdaInstance): MachineState {
  const { status, ip } = instance;
  const ref = refOf(instance);
  if (GONE.has(status)) return { state: 'gone' };
  if (status === 'unhealthy') return { state: 'failed', ref, message: 'Lambda calls the instance unhealthy' };
  if (status !== 'active' || !ip) return { state: 'pending', ref, reason: status };
  return {
    state: 'ready',
    ref,
    agent: { via: 'login', host: ip, port: 22, user: SSH_USER, jump: null },
    hostname: ip,
    internalIp: instance.private_ip ?? null,
  };
}

export function isStillBilled({ status }: LambdaInstance): boolean {
  return status !== 'terminated' && status !== 'preempted';
}
