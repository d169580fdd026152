/** What Azure says of an account in a region. */
export interface RegionFacts {
  /** Sizes the subscription may have at all, with the family whose quota counts. Null: it was not told. */
  readonly families: ReadonlyMap<string, string> | null;
  /** Limits in virtual processors by the name of the usage, in lower case. Null: it was not told. */
  readonly limits: ReadonlyMap<string, number> | null;
}

export const UNTOLD: RegionFacts = { families: null, limits: null };

interface Wanted {
  readonly size: string;
  readonly cpus: number;
  readonly isSpot: boolean;
}

/** Why the account may never have one of the size; null: it may, or nobody knows. */
export function whyNoQuota({ size, cpus, isSpot }: Wanted, { families, limits }: RegionFacts): string | null {
  const family = families?.get(size);
  if (families !== null && family === undefined) return `the subscription may not use ${size} in this region`;
  for (const name of isSpot ? ['lowPriorityCores'] : [family ?? '', 'cores']) {
    const limit = limits?.get(name.toLowerCase());
    if (limit !== undefined && limit < cpus) return `the quota ${name} is ${limit} vCPUs, ${size} has ${cpus}`;
  }
  return null;
}

interface Sku {
  readonly resourceType?: string;
  readonly name?: string;
  readonly family?: string;
  readonly restrictions?: readonly { readonly type?: string }[];
}

/** A restriction to zones leaves the region as such. */
export function usableFamilies(skus: readonly Sku[]): Map<string, string> {
  return new Map(
    skus.flatMap(({ resourceType, name, family, restrictions }) => {
      const [restriction] = restrictions ?? [];
      const isUsable = restriction === undefined || restriction.type === 'Zone';
      return resourceType === 'virtualMachines' && name !== undefined && isUsable ? [[name, family ?? '']] : [];
    }),
  );
}
