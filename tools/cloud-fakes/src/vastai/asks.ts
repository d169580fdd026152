/** Offers as real answers have them; the maker's description leaves them open. */
export type FakeAsk = Readonly<Record<string, string | number | boolean | null>> & { readonly id: number };

const USUAL = {
  verified: true,
  verification: 'verified',
  rentable: true,
  rented: false,
  datacenter: false,
  gpu_arch: 'nvidia',
  cpu_arch: 'amd64',
  direct_port_count: 63,
  reliability2: 0.9971,
  inet_down: 3120.4,
  cuda_max_good: 12.8,
  num_gpus: 1,
  cpu_cores: 128,
  cpu_cores_effective: 16,
  cpu_ram: 515_856,
  disk_space: 412.7,
  storage_cost: 0.15,
};

export const ASKS: readonly FakeAsk[] = [
  { ...USUAL, id: 28471936, machine_id: 31337, geolocation: 'California, US', gpu_name: 'A100 SXM4', gpu_ram: 81_920, compute_cap: 800, dph_base: 1.02, min_bid: 0.61, score: 312.4 },
  { ...USUAL, id: 28471937, machine_id: 31338, geolocation: 'Czechia, CZ', gpu_name: 'RTX 4090', gpu_ram: 24_564, compute_cap: 890, dph_base: 0.35, min_bid: 0.2, score: 250 },
  { ...USUAL, id: 28471938, machine_id: 31339, geolocation: 'Quebec, CA', gpu_name: 'RTX 4090', gpu_ram: 24_564, compute_cap: 890, dph_base: 0.3, min_bid: null, score: 180, datacenter: true },
  { ...USUAL, id: 28471939, machine_id: 31340, geolocation: 'Texas, US', gpu_name: 'H100 NVL', gpu_ram: 95_830, compute_cap: 900, dph_base: 2.4, min_bid: 1.3, score: 410, num_gpus: 2 },
  // What nobody should be offered.
  { ...USUAL, id: 28471940, machine_id: 31341, geolocation: 'Texas, US', gpu_name: 'RTX 4090', gpu_ram: 24_564, compute_cap: 890, dph_base: 0.1, min_bid: null, score: 500, direct_port_count: 0 },
  { ...USUAL, id: 28471941, machine_id: 31342, geolocation: 'Texas, US', gpu_name: 'RTX 4090', gpu_ram: 24_564, compute_cap: 890, dph_base: 0.1, min_bid: null, score: 500, reliability2: 0.6 },
  { ...USUAL, id: 28471942, machine_id: 31343, geolocation: 'Texas, US', gpu_name: 'RTX 4090', gpu_ram: 24_564, compute_cap: 890, dph_base: 0.1, min_bid: null, score: 90, cpu_cores: 0 },
  { ...USUAL, id: 28471943, machine_id: 31344, geolocation: 'Texas, US', gpu_name: 'RX 7900 XTX', gpu_arch: 'amd', gpu_ram: 24_564, compute_cap: 900, dph_base: 0.1, min_bid: null, score: 90 },
]; // prettier-ignore

type Operators = Readonly<Record<string, unknown>>;

const KEEPS: Readonly<Record<string, (value: unknown, wanted: unknown) => boolean>> = {
  eq: (value, wanted) => value === wanted,
  neq: (value, wanted) => value !== wanted,
  gt: (value, wanted) => Number(value) > Number(wanted),
  gte: (value, wanted) => Number(value) >= Number(wanted),
  lt: (value, wanted) => Number(value) < Number(wanted),
  lte: (value, wanted) => Number(value) <= Number(wanted),
  in: (value, wanted) => (wanted as unknown[]).includes(value),
  notin: (value, wanted) => !(wanted as unknown[]).includes(value),
};

const NO_FILTERS: ReadonlySet<string> = new Set(['limit', 'type', 'order', 'allocated_storage']);

/** Filtered and ordered as asked. @returns a text for what the search does not know */
export function search(asks: readonly FakeAsk[], body: Readonly<Record<string, unknown>>): FakeAsk[] | string {
  let found = [...asks];
  for (const [field, operators] of Object.entries(body)) {
    if (NO_FILTERS.has(field)) continue;
    if (!ASKS.some((ask) => field in ask)) return `unknown filter ${field}`;
    for (const [name, wanted] of Object.entries(operators as Operators)) {
      const keeps = KEEPS[name];
      if (keeps === undefined) return `unknown operator ${name}`;
      found = found.filter((ask) => keeps(ask[field], wanted));
    }
  }
  const [[by = 'score', direction] = []] = (body['order'] ?? []) as [string, string][];
  found.sort((a, b) => (Number(a[by]) - Number(b[by])) * (direction === 'desc' ? -1 : 1));
  return found.slice(0, Number(body['limit'] ?? 64));
}
