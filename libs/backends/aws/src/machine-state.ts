import type { Instance } from '@aws-sdk/client-ec2';
import type { MachineRef, MachineState } from '@dstack/backend-base';

export const OWNER_TAG = 'dstack_server';
export const TOKEN_TAG = 'dstack_attempt';

/** What is needed of a machine later and its description does not say. */
export interface AwsData {
  readonly user: string;
  readonly publicIps: boolean;
  /** Unix milliseconds: EC2 may not know a machine for a while after it made it. */
  readonly createdAt: number;
}

export function writeData(data: AwsData): string {
  return JSON.stringify(data);
}

/** Lenient: a machine must be found and ended whatever became of this text. */
export function readData(text: string | null): AwsData {
  const unknown: AwsData = { user: 'ubuntu', publicIps: true, createdAt: 0 };
  if (text === null) return unknown;
  try {
    return { ...unknown, ...(JSON.parse(text) as Partial<AwsData>) };
  } catch {
    return unknown;
  }
}

export function tagOf({ Tags }: Instance, key: string): string | null {
  return Tags?.find((tag) => tag.Key === key)?.Value ?? null;
}

export function refOf(instance: Instance, region: string, backendData: string | null): MachineRef {
  return {
    cloudName: tagOf(instance, 'Name') ?? '',
    machineId: instance.InstanceId ?? null,
    region,
    zone: instance.Placement?.AvailabilityZone ?? null,
    backendData,
  };
}

const ENDING: ReadonlySet<string> = new Set(['shutting-down', 'terminated', 'stopping', 'stopped']);

export function stateOf(instance: Instance, ref: MachineRef): MachineState {
  const { user, publicIps } = readData(ref.backendData);
  const state = instance.State?.Name ?? 'pending';
  if (ENDING.has(state)) return endOf(instance, ref, state);
  const address = publicIps ? instance.PublicIpAddress : instance.PrivateIpAddress;
  if (state !== 'running' || !address) return { state: 'pending', ref, reason: state };
  return {
    state: 'ready',
    ref,
    agent: { via: 'login', host: address, port: 22, user, jump: null },
    hostname: address,
    internalIp: instance.PrivateIpAddress ?? null,
  };
}

/** One that ended by itself says why; one that was terminated on purpose is gone. A stopped one keeps its disk, and its price. */
function endOf({ StateReason: reason }: Instance, ref: MachineRef, state: string): MachineState {
  const isWanted = reason?.Code === undefined || reason.Code.startsWith('Client.UserInitiatedShutdown');
  if (isWanted && (state === 'terminated' || state === 'shutting-down')) return { state: 'gone' };
  return { state: 'failed', ref, message: reason?.Message ?? reason?.Code ?? `EC2 says ${state}` };
}
