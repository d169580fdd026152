import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

/** Where the images of GPU machines are published. */
export const REGIONS: readonly string[] = [
  'centralus',
  'eastus',
  'eastus2',
  'southcentralus',
  'westus2',
  'westus3',
  'canadacentral',
  'francecentral',
  'germanywestcentral',
  'northeurope',
  'swedencentral',
  'uksouth',
  'westeurope',
  'southeastasia',
  'eastasia',
  'brazilsouth',
];

const region = z.string().refine((name) => REGIONS.includes(name), {
  error: ({ input }) => `is none of the regions that can be used: ${String(input)}; they are ${REGIONS.join(', ')}`,
});

/** In a path of ARM: neither separators nor what a URL would read otherwise. */
const PART = '[\\w.()-]{1,90}';
const path = (shape: string, parts: number) =>
  z.string().regex(new RegExp(`^${PART}(/${PART}){${parts - 1}}$`), `is written ${shape}`);

const tagKey = z
  .string()
  .regex(/^(?!microsoft|azure|windows)[^<>&\\%?/]{1,512}$/i, 'is not what Azure takes for the name of a tag');
const tagValue = z.string().max(256, 'is longer than Azure takes for the value of a tag');
const MAX_TAGS = 25;

const fields = z
  .object({
    type: z.literal('azure'),
    tenant_id: z.string().min(1),
    subscription_id: z.string().min(1),
    /** Absent: `dstack-<project>`, made on first need. */
    resource_group: path('as its name', 1).nullish(),
    regions: z.array(region).nullish(),
    /** By region. */
    vpc_ids: z.record(z.string(), path('resourceGroup/network', 2)).nullish(),
    subnet_ids: z.record(z.string(), path('resourceGroup/network/subnet', 3)).nullish(),
    public_ips: z.boolean().nullish(),
    vm_managed_identity: path('resourceGroup/identity', 2).nullish(),
    tags: z.record(tagKey, tagValue).nullish(),
    creds: z.discriminatedUnion('type', [
      z.object({
        type: z.literal('client'),
        client_id: z.string().min(1),
        client_secret: z.string().min(1),
        tenant_id: z.string().min(1).nullish(),
      }),
      z.object({ type: z.literal('default') }),
    ]),
  })
  .superRefine((config, context) => {
    const complain = (at: (string | number)[], message: string): void => {
      context.addIssue({ code: 'custom', path: at, message });
    };
    const { vpc_ids: networks, subnet_ids: subnets } = config;
    for (const each of Object.keys(subnets ?? {}))
      if (networks?.[each] !== undefined) complain(['subnet_ids', each], 'is in vpc_ids too: one of them decides');
    for (const [field, map] of [
      ['vpc_ids', networks],
      ['subnet_ids', subnets],
    ] as const)
      // prettier-ignore
      for (const each of Object.keys(map ?? {}))
        if (!REGIONS.includes(each)) complain([field, each], `is none of the regions ${REGIONS.join(', ')}`);
    if (config.public_ips === false && !networks && !subnets)
      complain(['public_ips'], 'when false, vpc_ids or subnet_ids names networks with a way to the internet');
    if (networks || subnets)
      for (const [index, each] of (config.regions ?? []).entries())
        if (networks?.[each] === undefined && subnets?.[each] === undefined)
          complain(['regions', index], `${each} is neither in vpc_ids nor in subnet_ids`);
    if (Object.keys(config.tags ?? {}).length > MAX_TAGS) complain(['tags'], `are at most ${MAX_TAGS}`);
  });

/** Configurations of old call the regions locations. */
const configSchema = z.preprocess((given) => {
  if (typeof given !== 'object' || given === null || !('locations' in given)) return given;
  const { locations, ...rest } = given;
  return { regions: locations, ...rest };
}, fields);

export type AzureConfig = z.infer<typeof fields>;

/** Those that are used: the ones named, else those with networks of one's own, else all. */
export function regionsOf({ regions, vpc_ids: networks, subnet_ids: subnets }: AzureConfig): readonly string[] {
  if (regions) return regions;
  return networks || subnets ? [...new Set([...Object.keys(networks ?? {}), ...Object.keys(subnets ?? {})])] : REGIONS;
}

export const azureDefinition: BackendDefinition<AzureConfig> = {
  type: 'azure',
  title: 'Microsoft Azure',
  summary:
    'Virtual machines of Microsoft Azure, on demand and spot; needs a service principal or the default credentials of the server.',
  example: 'type: azure\ntenant_id: …\nsubscription_id: …\ncreds:\n  type: client\n  client_id: …\n  client_secret: …',
  configSchema,
  capabilities: {
    ...NO_CAPABILITIES,
    kind: 'hosts',
    runtimes: ['container', 'process'],
    multinode: true,
    privileged: true,
    instanceVolumes: true,
    gateways: true,
    // One that powers itself off keeps its place on a host, and its price.
    powerOffStopsBilling: false,
  },
  idempotency: { kind: 'name' },
  maxNameLength: 64,
  provisioningTimeoutMs: () => 10 * 60_000,
};
