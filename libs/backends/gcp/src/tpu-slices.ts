/** One host of a slice of several; the numbers are in Google's pages of each version. */
interface SliceHost {
  /** Of the type's number (chips of v5e and v6e, else cores), what one host has. */
  readonly share: number;
  readonly cpus: number;
  readonly memoryGb: number;
  readonly hbmGb: number;
}

const HOSTS: Readonly<Record<string, SliceHost>> = {
  v2: { share: 8, cpus: 96, memoryGb: 334, hbmGb: 64 },
  v3: { share: 8, cpus: 96, memoryGb: 334, hbmGb: 128 },
  v4: { share: 8, cpus: 240, memoryGb: 407, hbmGb: 128 },
  v5p: { share: 8, cpus: 208, memoryGb: 448, hbmGb: 380 },
  v5litepod: { share: 4, cpus: 112, memoryGb: 192, hbmGb: 64 },
  v6e: { share: 4, cpus: 180, memoryGb: 720, hbmGb: 128 },
};

const TPU = /^(v\d+[a-z]*)-(\d+)$/;
/** Of v5e and v6e, eight chips are one host, too: of a type of its own. */
const BIGGEST_OF_ONE_HOST = 8;

export interface Slice {
  readonly hosts: number;
  readonly host: SliceHost;
}

/** Null: one host, or a version that is not known yet. */
export function sliceOf(type: string): Slice | null {
  const [, version = '', size] = TPU.exec(type) ?? [];
  const host = HOSTS[version];
  if (host === undefined || Number(size) <= BIGGEST_OF_ONE_HOST) return null;
  const hosts = Number(size) / host.share;
  return Number.isInteger(hosts) ? { hosts, host } : null;
}
