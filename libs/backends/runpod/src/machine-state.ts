import { CONTAINER_AGENT_SOCKET, CONTAINER_SSH_PORT, type MachineRef, type MachineState } from '@dstack/backend-base';
import type { RunpodPod } from './schema.js';

export function refOf({ id, name, dataCenterId }: RunpodPod): MachineRef {
  return { cloudName: name, machineId: id, region: dataCenterId ?? '', zone: null, backendData: null };
}

/** A pod that stopped by itself is kept by RunPod, and billed for its disk, until it is terminated. */
export function stateOf(pod: RunpodPod, ref: MachineRef = refOf(pod)): MachineState {
  switch (pod.status) {
    case 'TERMINATED':
      return { state: 'gone' };
    case 'EXITED':
      return { state: 'failed', ref, message: 'the container has ended: its log at RunPod tells why' };
    case 'ERROR':
      return { state: 'failed', ref, message: 'RunPod could not start the container: its log at RunPod tells why' };
  }
  const door = pod.runtime?.ports?.find((port) => port.private === CONTAINER_SSH_PORT);
  if (pod.status !== 'RUNNING' || !door?.public || !door.ip)
    return { state: 'pending', ref, reason: pod.status.toLowerCase() };
  // The nodes of a task are told each other's addresses.
  if (pod.cluster && !pod.cluster.ip) return { state: 'pending', ref, reason: 'no address in its cluster yet' };
  return {
    state: 'ready',
    ref,
    agent: {
      via: 'ssh',
      host: door.ip,
      port: door.public,
      user: 'root',
      hostKey: null,
      socketPath: CONTAINER_AGENT_SOCKET,
      jump: null,
    },
    hostname: door.ip,
    internalIp: pod.cluster?.ip ?? null,
  };
}

export function isStillBilled({ status }: RunpodPod): boolean {
  return status !== 'TERMINATED';
}
