import { BackendError } from '@dstack/backend-base';

export interface NetworkCard {
  readonly network: string;
  readonly subnetwork: string | null;
  /** Null: Google chooses. */
  readonly nicType: 'GVNIC' | 'MRDMA' | null;
  readonly isPublic: boolean;
}

export interface NetworkChoice {
  readonly main: { readonly network: string; readonly subnetwork: string | null };
  readonly publicIps: boolean;
  /** Each with the region's first subnet. */
  readonly extra: readonly { readonly network: string; readonly subnetwork: string }[];
  /** All subnets of the region. */
  readonly roce: { readonly network: string; readonly subnetworks: readonly string[] } | null;
}

/** How many cards beside the first the machine has for networks of their own. */
const EXTRA_CARDS: Readonly<Record<string, number>> = {
  'a3-megagpu-8g': 8,
  'a3-highgpu-8g': 4,
  'a3-edgegpu-8g': 4,
  'a4-highgpu-8g': 1,
};
const ROCE_CARDS: Readonly<Record<string, number>> = { 'a4-highgpu-8g': 8 };

export function extraCards(type: string): number {
  return EXTRA_CARDS[type] ?? 0;
}

export function roceCards(type: string): number {
  return ROCE_CARDS[type] ?? 0;
}

/** @throws {BackendError} when the RoCE network has too few subnets */
export function networkCards(type: string, choice: NetworkChoice): NetworkCard[] {
  const extra = choice.extra
    .slice(0, extraCards(type))
    .map((card) => ({ ...card, nicType: 'GVNIC' as const, isPublic: false }));
  const roce = roceOf(type, choice);
  const nicType = extra.length + roce.length > 0 ? 'GVNIC' : null;
  return [{ ...choice.main, nicType, isPublic: choice.publicIps }, ...extra, ...roce];
}

function roceOf(type: string, { roce }: NetworkChoice): NetworkCard[] {
  const wanted = roceCards(type);
  if (wanted === 0 || roce === null) return [];
  const { network, subnetworks } = roce;
  if (subnetworks.length < wanted) {
    const text = `${type} needs ${wanted} subnets of ${network} in the region, there are ${subnetworks.length}`;
    throw new BackendError({ kind: 'rejected', blocks: 'region' }, text);
  }
  return subnetworks.slice(0, wanted).map((subnetwork) => ({ network, subnetwork, nicType: 'MRDMA', isPublic: false }));
}
