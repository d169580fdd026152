import type { VirtualMachine } from '@azure/arm-compute';
import type { MachineRef, MachineState } from '@dstack/backend-base';

export const OWNER_TAG = 'dstack_server';
export const TOKEN_TAG = 'dstack_attempt';

/** Who logs in: made with the machine. */
export const LOGIN_USER = 'ubuntu';

/** Null: it has none, or none yet. */
export interface Addresses {
  readonly publicIp: string | null;
  readonly privateIp: string | null;
  /** Whether it is to have a public one. */
  readonly isPublic: boolean;
}

export function refOf(machine: VirtualMachine): MachineRef {
  return {
    cloudName: machine.name ?? '',
    machineId: machine.id ?? null,
    region: machine.location,
    zone: machine.zones?.[0] ?? null,
    backendData: null,
  };
}

const STOPPED = /^PowerState\/(stopping|stopped|deallocating|deallocated)$/;

/** What is known without its addresses; null: it runs, and they tell. */
export function earlyStateOf(machine: VirtualMachine): MachineState | null {
  const ref = refOf(machine);
  const statuses = machine.instanceView?.statuses ?? [];
  switch (machine.provisioningState) {
    case 'Failed': {
      const failed = statuses.find(({ code }) => code?.startsWith('ProvisioningState/failed'));
      const code = failed?.code?.split('/')[2];
      const text = [code, failed?.message].filter((part) => part !== undefined).join(': ');
      return { state: 'failed', ref, message: text === '' ? 'Azure could not start it' : text };
    }
    // On purpose, or because spot capacity is taken back.
    case 'Deleting':
      return { state: 'failed', ref, message: 'Azure is deleting it' };
    case 'Succeeded': {
      const stopped = statuses.find(({ code }) => STOPPED.test(code ?? ''));
      if (stopped === undefined) return null;
      return { state: 'failed', ref, message: stopped.displayStatus ?? 'it was stopped' };
    }
    default:
      return { state: 'pending', ref, reason: machine.provisioningState ?? 'Creating' };
  }
}

export function stateWith({ publicIp, privateIp, isPublic }: Addresses, machine: VirtualMachine): MachineState {
  const ref = refOf(machine);
  const address = isPublic ? publicIp : privateIp;
  if (address === null) return { state: 'pending', ref, reason: 'it has no address yet' };
  return {
    state: 'ready',
    ref,
    agent: { via: 'login', host: address, port: 22, user: LOGIN_USER, jump: null },
    hostname: address,
    internalIp: privateIp,
  };
}
