/** A price of Google's billing catalog that machines are put together from, USD per hour and unit; of disks per GiB and month. */
export interface GcpSku {
  readonly description: string;
  readonly usageType: string;
  readonly regions: readonly string[];
  readonly price: number;
}

export interface RateName {
  readonly kind: 'core' | 'ram' | 'gpu' | 'slice' | 'ssd' | 'tpu';
  /** Of cores and memory the family (`n2d`), of GPUs what the list calls them (`H100 80GB`). */
  readonly name: string;
  readonly isSpot: boolean;
}

/** Prices of other terms than "as long as it runs". */
const OTHER_TERMS =
  /commitment|sole.?tenan|reserved|premium|custom|suspended|\bDWS\b|calendar|defined duration|extended|capacity optimized/i;

/** What a price is for; null: for nothing that is offered. */
export function rateNameOf({ description, usageType }: Pick<GcpSku, 'description' | 'usageType'>): RateName | null {
  if (usageType !== 'OnDemand' && usageType !== 'Preemptible') return null;
  if (OTHER_TERMS.test(description)) return null;
  const bare = description
    .replace(/ running in .*$/, '')
    .replace(/^Spot Preemptible /, '')
    .replace(/ attached to Spot Preemptible VMs$/, '');
  // Some prices of spot machines are listed as on demand: the words are right.
  const isSpot = usageType === 'Preemptible' || /\bSpot Preemptible\b/.test(description);
  if (/^SSD backed Local Storage( in .*)?$/.test(bare)) return { kind: 'ssd', name: 'local', isSpot };
  const [, slice] = /^A4 Nvidia (\w+) \(1 gpu slice\)$/i.exec(bare) ?? [];
  if (slice !== undefined) return { kind: 'slice', name: slice, isSpot };
  const [, tpu] = /^Tpu(V5e|V5p|V6e)$/i.exec(bare) ?? [];
  if (tpu !== undefined) return { kind: 'tpu', name: tpu.toLowerCase(), isSpot };
  const [, label, resource] = /^(.+?)(?: Instance)? (Core|Ram)$/.exec(bare) ?? [];
  if (label !== undefined) {
    const family = familyOf(label);
    return family === null ? null : { kind: resource === 'Core' ? 'core' : 'ram', name: family, isSpot };
  }
  const [, gpu] = /^(?:Nvidia )?(?:Tesla )?(.+?) GPU$/.exec(bare) ?? /^(RTX 6000 96GB)$/.exec(bare) ?? [];
  return gpu === undefined ? null : { kind: 'gpu', name: gpu, isSpot };
}

function familyOf(label: string): string | null {
  if (/^compute optimized$/i.test(label)) return 'c2';
  if (/^memory.optimized$/i.test(label)) return 'm1';
  const [family] = label.replace(/ (AMD|Arm|Predefined|Memory-optimized)$/, '').split(' ');
  return family !== undefined && /^[A-Z][A-Za-z0-9]*$/.test(family) && !/ (?!AMD|Arm|Predefined|Memory)/.test(label)
    ? family.toLowerCase()
    : null;
}

/** By region. */
export class GcpRates {
  private readonly rates = new Map<string, number>();

  constructor(skus: readonly GcpSku[]) {
    for (const sku of skus) {
      const name = rateNameOf(sku);
      if (name === null || !(sku.price > 0)) continue;
      for (const region of sku.regions) this.rates.set(key(name, region), sku.price);
    }
  }

  get size(): number {
    return this.rates.size;
  }

  /** Undefined: it has no such price there. */
  of(name: RateName, region: string): number | undefined {
    return this.rates.get(key(name, region));
  }
}

function key({ kind, name, isSpot }: RateName, region: string): string {
  return `${kind} ${name} ${isSpot ? 'spot' : ''} ${region}`;
}
