import { CONTAINER_AGENT_SOCKET, CONTAINER_SSH_PORT, type MachineRef, type MachineState } from '@dstack/backend-base';
import { regionOf } from './offers.js';
import type { VastaiInstance } from './schema.js';

export function refOf({ id, label, geolocation }: VastaiInstance): MachineRef {
  return {
    cloudName: label ?? '',
    machineId: String(id),
    region: regionOf(geolocation ?? ''),
    zone: null,
    backendData: null,
  };
}

/** None of them gets ready by itself any more. */
const DEAD: ReadonlySet<string> = new Set(['exited', 'unknown', 'offline']);

/** Whatever it is, an instance is billed, if only for its disk, until it is destroyed. */
export function stateOf(instance: VastaiInstance): MachineState {
  const ref = refOf(instance);
  const { actual_status: status, status_msg: said } = instance;
  const words = said?.trim() || null;
  if (isOutbid(instance)) return { state: 'failed', ref, message: 'the instance was stopped: somebody bids more' };
  if (status === 'created' && words?.includes('OCI runtime create failed') === true)
    return { state: 'failed', ref, message: words };
  if (typeof status === 'string' && DEAD.has(status))
    return { state: 'failed', ref, message: `the instance is ${status}${words === null ? '' : `: ${words}`}` };
  const host = instance.public_ipaddr?.trim();
  const port = Number(instance.ports?.[`${CONTAINER_SSH_PORT}/tcp`]?.[0]?.HostPort);
  if (status !== 'running' || !host || !Number.isInteger(port))
    return { state: 'pending', ref, reason: words ?? status ?? 'not tried yet' };
  return {
    state: 'ready',
    ref,
    agent: { via: 'ssh', host, port, user: 'root', hostKey: null, socketPath: CONTAINER_AGENT_SOCKET, jump: null },
    hostname: host,
    internalIp: null,
  };
}

function isOutbid({ cur_state: now, intended_status: meant, next_state: next }: VastaiInstance): boolean {
  return now === 'stopped' && meant === 'stopped' && next === 'stopped';
}

/** What the instance was created with. */
export function variableOf({ extra_env: variables }: VastaiInstance, name: string): string | null {
  return variables?.find(([key]) => key === name)?.[1] ?? null;
}
