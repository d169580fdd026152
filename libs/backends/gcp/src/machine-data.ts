import type { MachineRef } from '@dstack/backend-base';

/** What is needed of a machine later and its description does not say. The first two are dstack's own names. */
export interface GcpData {
  readonly zone: string | null;
  readonly isTpu: boolean;
  /** That makes the machine: it tells why there is none. */
  readonly operation: string | null;
  /** Of a TPU of several hosts, which of them, from 1 on; absent: the first. */
  readonly host?: number;
}

export function writeData({ zone, isTpu, operation, host }: GcpData): string {
  return JSON.stringify({ zone, ...(isTpu ? { is_tpu: true } : {}), operation, ...(host ? { host } : {}) });
}

/** Lenient: a machine must be found and ended whatever became of this text. Null: nothing is known. */
export function readData({ backendData }: Pick<MachineRef, 'backendData'>): GcpData | null {
  if (backendData === null) return null;
  try {
    const read = JSON.parse(backendData) as Partial<Record<string, unknown>> | null;
    if (typeof read !== 'object' || read === null) return null;
    const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
    return {
      zone: text(read.zone),
      isTpu: read.is_tpu === true,
      operation: text(read.operation),
      ...(typeof read.host === 'number' ? { host: read.host } : {}),
    };
  } catch {
    return null;
  }
}
