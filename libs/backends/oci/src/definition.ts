import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';

/** Where the images of GPU machines are published. */
export const REGIONS: readonly string[] = [
  'eu-frankfurt-1',
  'eu-milan-1',
  'me-dubai-1',
  'uk-london-1',
  'us-ashburn-1',
  'us-chicago-1',
  'us-phoenix-1',
];

const region = z.string().refine((name) => REGIONS.includes(name), {
  error: ({ input }) => `is none of the regions that can be used: ${String(input)}; they are ${REGIONS.join(', ')}`,
});

/** Part of the names of Oracle's hosts. */
export const REGION_NAME = /^[a-z]{2,}(-[a-z]+)+-\d+$/;

const ocid = (kind: string) => z.string().regex(new RegExp(`^ocid1\\.${kind}\\.`), `is the OCID of a ${kind}`);

const client = z
  .object({
    type: z.literal('client'),
    user: ocid('user'),
    tenancy: ocid('tenancy'),
    fingerprint: z.string().min(1),
    /** Any that the tenancy is subscribed to: where it is asked first. */
    region: z.string().regex(REGION_NAME, 'is the name of a region, such as eu-frankfurt-1'),
    /** On the server. */
    key_file: z.string().min(1).nullish(),
    key_content: z.string().min(1).nullish(),
    pass_phrase: z.string().nullish(),
  })
  .superRefine(({ key_file: file, key_content: content }, context) => {
    if (!file && !content)
      context.addIssue({ code: 'custom', path: ['key_content'], message: 'or key_file holds the private key' });
    if (file && content) context.addIssue({ code: 'custom', path: ['key_file'], message: 'excludes key_content' });
  });

const configSchema = z.object({
  type: z.literal('oci'),
  regions: z.array(region).nullish(),
  /** Absent: `dstack-<project>` in the tenancy, made on first need. */
  compartment_id: z
    .string()
    .regex(/^ocid1\.(compartment|tenancy)\./, 'is the OCID of a compartment')
    .nullish(),
  creds: z.discriminatedUnion('type', [
    client,
    z.object({
      type: z.literal('default'),
      file: z.string().min(1).default('~/.oci/config'),
      profile: z.string().min(1).default('DEFAULT'),
    }),
  ]),
});

export type OciConfig = z.infer<typeof configSchema>;

const BARE_METAL_MS = 20 * 60_000;
const VIRTUAL_MS = 10 * 60_000;

export const ociDefinition: BackendDefinition<OciConfig> = {
  type: 'oci',
  title: 'Oracle Cloud Infrastructure',
  summary:
    'Virtual machines and bare metal of Oracle, on demand and preemptible; needs an API key, or the configuration file of the server.',
  example:
    'type: oci\ncreds:\n  type: client\n  user: …\n  tenancy: …\n  fingerprint: …\n  region: eu-frankfurt-1\n  key_content: …',
  configSchema,
  capabilities: {
    ...NO_CAPABILITIES,
    kind: 'hosts',
    runtimes: ['container', 'process'],
    multinode: true,
    privileged: true,
    instanceVolumes: true,
    // Shapes with GPUs or local disks are billed while they are stopped, boot volumes always.
    powerOffStopsBilling: false,
  },
  idempotency: { kind: 'token' },
  maxNameLength: 60,
  provisioningTimeoutMs: (type) => (type.startsWith('BM.') ? BARE_METAL_MS : VIRTUAL_MS),
};
