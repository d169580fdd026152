/** Checked with the document. */
export type Json = Readonly<Record<string, unknown>>;

export interface FakeGceInstance {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly machineType: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly userData: string | null;
  /** As it was asked for. */
  readonly body: Json;
  readonly createdAt: string;
  readonly disks: { deviceName: string; source: string; isBoot: boolean }[];
  status: string;
  statusMessage: string | null;
  ip: string | null;
}

export interface FakeDisk {
  readonly name: string;
  readonly zone: string;
  readonly sizeGb: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sourceImage: string | null;
}

export interface GceOptions {
  readonly project: string;
  /** Gives the public address of the machine that was started; rejects: it stops by itself. */
  readonly boot: (instance: FakeGceInstance) => Promise<string>;
  readonly halt: (instance: FakeGceInstance) => Promise<void>;
}

export interface GceCall {
  readonly method: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly query: URLSearchParams;
  /** Checked with the document. */
  readonly body: Json;
}

export interface Zoned {
  readonly zone: string;
}

export const REGIONS: Readonly<Record<string, readonly string[]>> = {
  'us-central1': ['us-central1-a', 'us-central1-b', 'us-central1-c', 'us-central1-f'],
  'europe-west4': ['europe-west4-a', 'europe-west4-b', 'europe-west4-c'],
};

export const HOST = 'https://www.googleapis.com/compute/v1';

export function last(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
