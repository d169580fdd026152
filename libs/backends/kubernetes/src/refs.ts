import type { MachineRef } from '@dstack/backend-base';
import { REGION } from './names.js';
import type { Pod } from './schema.js';

/** In what is kept of a pod: it is a gateway. */
const GATEWAY_DATA = 'gateway';

export function refOf({ metadata }: Pod): MachineRef {
  return {
    cloudName: metadata.name,
    machineId: metadata.uid,
    region: metadata.annotations[REGION] ?? '',
    zone: null,
    backendData: null,
  };
}

export function gatewayRefOf(pod: Pod): MachineRef {
  return { ...refOf(pod), backendData: GATEWAY_DATA };
}

export function isGatewayRef({ backendData }: MachineRef): boolean {
  return backendData === GATEWAY_DATA;
}

/** The name was given to something else after ours was gone. */
export function isAnother({ metadata }: Pod, { machineId }: MachineRef): boolean {
  return machineId !== null && machineId !== metadata.uid;
}
