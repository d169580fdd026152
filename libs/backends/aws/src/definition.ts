import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

export const DEFAULT_REGIONS: readonly string[] = [
  'us-east-1',
  'us-east-2',
  'us-west-1',
  'us-west-2',
  'ap-southeast-1',
  'ca-central-1',
  'eu-central-1',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'eu-north-1',
];

const image = z.object({
  name: z.string().min(1),
  owner: z
    .string()
    .regex(/^(\d{12}|self)$/, 'is an account of twelve digits, or self')
    .default('self'),
  user: z.string().min(1),
});

const tagKey = z
  .string()
  .regex(/^(?!aws:)[\p{L}\p{N} .:/=_\-+@]{1,128}$/u, 'is not what AWS takes for the key of a tag');
const tagValue = z.string().regex(/^[\p{L}\p{N} .:/=_\-+@]{0,256}$/u, 'is not what AWS takes for the value of a tag');
const MAX_TAGS = 25;

const configSchema = z
  .object({
    type: z.literal('aws'),
    regions: z.array(z.string().min(1)).nullish(),
    /** The same name in every region. */
    vpc_name: z.string().min(1).nullish(),
    /** By region. */
    vpc_ids: z.record(z.string(), z.string().min(1)).nullish(),
    default_vpcs: z.boolean().nullish(),
    public_ips: z.boolean().nullish(),
    iam_instance_profile: z.string().min(1).nullish(),
    tags: z.record(tagKey, tagValue).nullish(),
    os_images: z.object({ cpu: image.nullish(), nvidia: image.nullish() }).nullish(),
    experimental_instance_types: z.array(z.string().min(1)).nullish(),
    creds: z.discriminatedUnion('type', [
      z.object({ type: z.literal('access_key'), access_key: z.string().min(1), secret_key: z.string().min(1) }),
      z.object({ type: z.literal('default') }),
    ]),
  })
  .superRefine((config, context) => {
    const complain = (path: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [path], message });
    };
    if (config.vpc_name && config.vpc_ids) complain('vpc_ids', 'excludes vpc_name');
    if (config.default_vpcs === false && !config.vpc_name && !config.vpc_ids)
      complain('default_vpcs', 'when false, vpc_name or vpc_ids says which to use');
    if (Object.keys(config.tags ?? {}).length > MAX_TAGS) complain('tags', `are at most ${MAX_TAGS}`);
  });

export type AwsConfig = z.infer<typeof configSchema>;

export const awsDefinition: BackendDefinition<AwsConfig> = {
  type: 'aws',
  title: 'Amazon Web Services',
  summary:
    'Machines of Amazon EC2, on demand, spot and reserved; needs an access key or the default credentials of the server.',
  example: 'type: aws\ncreds:\n  type: access_key\n  access_key: …\n  secret_key: …',
  configSchema,
  capabilities: {
    ...NO_CAPABILITIES,
    kind: 'hosts',
    runtimes: ['container', 'process'],
    multinode: true,
    privileged: true,
    instanceVolumes: true,
    reservations: true,
    placementGroups: true,
    networkVolumes: true,
    gateways: true,
    privateGateways: true,
    gatewayBalancers: true,
    // Root disks go with the machine, and a machine that powers off is terminated.
    powerOffStopsBilling: true,
  },
  idempotency: { kind: 'token' },
  defaultRegions: DEFAULT_REGIONS,
  maxNameLength: 60,
  provisioningTimeoutMs: () => 10 * 60_000,
};
