import { EC2Client, paginateDescribeInstanceTypes, paginateDescribeSpotPriceHistory } from '@aws-sdk/client-ec2';
import { environmentAgent } from '@dstack/backend-base/proxy';
import type { CatalogGpu } from '@dstack/catalog';
import type { AwsAccount } from '@dstack/catalog/refresh';
import { knownAccelerator, normaliseGpuName, snapGpuMemoryGb } from '@dstack/core';

/** EC2 takes so many values of a filter, and names of a call. */
const NAMES_A_CALL = 100;

/** What only an account is told, with the credentials of the environment (`ec2:DescribeInstanceTypes`, `ec2:DescribeSpotPriceHistory`). */
export function awsAccount(now: () => number, endpoint: string | null): AwsAccount {
  // AWS's library knows nothing of proxies.
  const agent = environmentAgent({ maxSockets: 50 });
  const clientOf = (region: string) =>
    new EC2Client({
      region,
      requestHandler: { httpAgent: agent, httpsAgent: agent },
      ...(endpoint === null ? {} : { endpoint }),
    });
  return {
    async gpus(region, types) {
      const client = clientOf(region);
      const found = new Map<string, CatalogGpu>();
      for (let first = 0; first < types.length; first += NAMES_A_CALL) {
        const names = types.slice(first, first + NAMES_A_CALL);
        const pages = paginateDescribeInstanceTypes(
          { client },
          { Filters: [{ Name: 'instance-type', Values: [...names] }] },
        );
        for await (const { InstanceTypes: described = [] } of pages) {
          for (const { InstanceType: type, GpuInfo: info } of described) {
            const gpu = gpuOf(info?.Gpus?.[0]);
            if (type !== undefined && gpu !== null) found.set(type, gpu);
          }
        }
      }
      return found;
    },

    async spotPrices(region) {
      const lowest = new Map<string, number>();
      const pages = paginateDescribeSpotPriceHistory(
        { client: clientOf(region) },
        { ProductDescriptions: ['Linux/UNIX'], StartTime: new Date(now()) },
      );
      try {
        for await (const { SpotPriceHistory: prices = [] } of pages) {
          for (const { InstanceType: type, SpotPrice: text } of prices) {
            const price = Number(text);
            if (type !== undefined && price > 0) lowest.set(type, Math.min(price, lowest.get(type) ?? Infinity));
          }
        }
      } catch (error) {
        // A region that the account has not enabled.
        if (error instanceof Error && /^(AuthFailure|OptInRequired)$/.test(error.name)) return null;
        throw error;
      }
      return lowest;
    },
  };
}

interface DescribedGpu {
  readonly Name?: string | undefined;
  readonly Count?: number | undefined;
  readonly MemoryInfo?: { readonly SizeInMiB?: number | undefined } | undefined;
}

export function gpuOf(described: DescribedGpu | undefined): CatalogGpu | null {
  const { Name: told = '', Count: count = 0, MemoryInfo: memory } = described ?? {};
  // `RTX PRO Server 6000`
  const [, pro] = /^RTX PRO\b.*\b(4500|6000)\b/i.exec(told) ?? [];
  const known = knownAccelerator(pro === undefined ? normaliseGpuName(told) : `RTXPRO${pro}`);
  if (known === undefined || count < 1) return null;
  // L4s are told with less than they have.
  const memoryGb = known.name === 'L4' ? 24 : snapGpuMemoryGb(known.name, memory?.SizeInMiB ?? 0);
  return { vendor: known.vendor, name: known.name, count, memoryMib: memoryGb * 1024 };
}
