import { type BackendDefinition, NO_CAPABILITIES } from '@dstack/backend-base';
import { z } from 'zod';
import { LABEL_KEY, LABEL_VALUE } from './labels.js';

/** Where machines are looked for unless `regions` says so; those without a subnet of the network are left out. */
export const DEFAULT_REGIONS: readonly string[] = [
  ...['northamerica-northeast1', 'northamerica-northeast2', 'us-central1', 'us-east1', 'us-east4', 'us-east5'],
  ...['us-south1', 'us-west1', 'us-west2', 'us-west3', 'us-west4', 'southamerica-east1', 'southamerica-west1'],
  ...['europe-central2', 'europe-north1', 'europe-southwest1', 'europe-west1', 'europe-west2', 'europe-west3'],
  ...['europe-west4', 'europe-west6', 'europe-west8', 'europe-west9', 'asia-east1', 'asia-east2'],
  ...['asia-northeast1', 'asia-northeast2', 'asia-northeast3', 'asia-south1', 'asia-south2', 'asia-southeast1'],
  ...['asia-southeast2', 'me-west1', 'australia-southeast1', 'australia-southeast2'],
];

// Both become parts of paths.
const projectId = z.string().regex(/^[a-z0-9.:-]{1,100}$/, 'is not the id of a Google Cloud project');
const resourceName = z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, 'is not the name of a network');
const regionName = z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, 'is not the name of a region');

/** The text of a service account's key, as Google Cloud gives it to be kept in a file. */
const keyFile = z.string().superRefine((text, context) => {
  const problem = whyNoKey(text);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

const MAX_TAGS = 25;

const configSchema = z.object({
  type: z.literal('gcp'),
  project_id: projectId,
  regions: z.array(regionName).min(1).nullish(),
  vpc_name: resourceName.nullish(),
  /** Of a shared network, the project it is in. */
  vpc_project_id: projectId.nullish(),
  /** Networks of further network cards of machines that have them. */
  extra_vpcs: z.array(resourceName).nullish(),
  roce_vpcs: z.array(resourceName).max(1).nullish(),
  public_ips: z.boolean().nullish(),
  nat_check: z.boolean().nullish(),
  vm_service_account: z.string().min(1).nullish(),
  tags: z
    .record(
      z.string().regex(LABEL_KEY, 'is not what Google takes for the key of a label'),
      z.string().regex(LABEL_VALUE, 'is not what Google takes for the value of a label'),
    )
    .refine((tags) => Object.keys(tags).length <= MAX_TAGS, `are at most ${MAX_TAGS}`)
    .nullish(),
  preview_features: z.array(z.literal('g4')).max(1).nullish(),
  creds: z.discriminatedUnion('type', [
    z.object({ type: z.literal('service_account'), filename: z.string().nullish(), data: keyFile }),
    z.object({ type: z.literal('default') }),
  ]),
});

export type GcpConfig = z.infer<typeof configSchema>;

/** Null: it is a key. */
function whyNoKey(text: string): string | null {
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    return 'is not JSON: give the contents of the key file of a service account';
  }
  const has = (name: string): boolean =>
    typeof key === 'object' &&
    key !== null &&
    name in key &&
    typeof (key as Record<string, unknown>)[name] === 'string';
  const missing = ['client_email', 'private_key'].filter((name) => !has(name));
  return missing.length === 0 ? null : `is not the key of a service account: it has no ${missing.join(' and no ')}`;
}

const MINUTE_MS = 60_000;

export const gcpDefinition: BackendDefinition<GcpConfig> = {
  type: 'gcp',
  title: 'Google Cloud',
  summary:
    'Machines of Compute Engine and TPU VMs, on demand, spot and reserved; needs the key of a service account or the default credentials of the server.',
  example: 'type: gcp\nproject_id: …\ncreds:\n  type: service_account\n  filename: /path/to/key.json',
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
    groupProvisioning: true,
    gateways: true,
    privateGateways: true,
    // Of a machine that is off, only its disk is billed until it is deleted.
    powerOffStopsBilling: true,
  },
  // Machines by requestId; TPUs by their name, which can be given once.
  idempotency: { kind: 'token' },
  maxNameLength: 63,
  provisioningTimeoutMs: (type) => (type === 'a4-highgpu-8g' ? 16 : 10) * MINUTE_MS,
};
