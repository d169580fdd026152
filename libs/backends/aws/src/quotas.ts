/** Limits of an account in a region, in virtual processors: by quota code. */
export type Quotas = ReadonlyMap<string, number>;

/** AWS counts the processors of running machines by class, on demand and spot apart. */
export function quotaCode(type: string, isSpot: boolean): string {
  const family = type.split('.')[0] ?? '';
  if (/^p5/.test(family)) return isSpot ? 'L-C4BD4855' : 'L-417A185B';
  if (/^p\d/.test(family)) return isSpot ? 'L-7212CCBC' : 'L-417A185B';
  if (/^(g\d|gr\d|vt)/.test(family)) return isSpot ? 'L-3819A6DF' : 'L-DB2E81BA';
  return isSpot ? 'L-34B43A08' : 'L-1216C47A';
}

/** Why the account may never have one of the type; null: it may, or nobody knows. */
export function whyNoQuota(type: string, cpus: number, isSpot: boolean, quotas: Quotas | null): string | null {
  const limit = quotas?.get(quotaCode(type, isSpot));
  if (limit === undefined || limit >= cpus) return null;
  return `the quota ${quotaCode(type, isSpot)} is ${limit} vCPUs, ${type} has ${cpus}`;
}
