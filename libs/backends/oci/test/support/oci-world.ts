import { generateKeyPairSync, randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call } from '@dstack/backend-base';
import type { ComputeOverAWire } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { OciFake, type OciFakeOptions } from '@dstack/cloud-fakes/oci';
import type { Offer } from '@dstack/core';
import { ociModule } from '../../src/compute.js';
import { ociDefinition } from '../../src/index.js';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const ACCOUNT = {
  tenancy: 'ocid1.tenancy.oc1..main',
  user: 'ocid1.user.oc1..dstack',
  fingerprint: '20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34',
  publicKey,
};
export const PRIVATE_KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRlbGljaW91cw0KZGVsaWNpb3VzDQpkZWxpY2lvdXM= dstack';
export const QUERY = { requirements: { resources: {} }, fullOffers: false, unallocated: false };
export const CREDS = {
  type: 'client',
  user: ACCOUNT.user,
  tenancy: ACCOUNT.tenancy,
  fingerprint: ACCOUNT.fingerprint,
  region: 'us-ashburn-1',
  key_content: PRIVATE_KEY,
};

export interface OciWorld extends ComputeOverAWire {
  readonly fake: OciFake;
}

export const call = (): Call => ({ signal: new AbortController().signal, deadline: Date.now() + 20_000 });

export function environment(
  endpoint: string,
  now: () => number = Date.now,
): BackendEnvironment & { readonly said: string[] } {
  const said: string[] = [];
  return {
    now,
    random: () => 0.5,
    sleep: async (_ms, signal) => signal.throwIfAborted(),
    log: (_level, message) => void said.push(message),
    catalog: bundledCatalog,
    endpoint,
    said,
  };
}

export function config(extra: object = {}) {
  return ociDefinition.configSchema.parse({
    type: 'oci',
    regions: ['eu-frankfurt-1', 'us-ashburn-1'],
    creds: CREDS,
    ...extra,
  });
}

const MACHINES: Pick<OciFakeOptions, 'boot' | 'halt'> = {
  boot: async () => '198.51.100.7',
  halt: async () => undefined,
};

export async function startOciWorld(): Promise<OciWorld> {
  const fake = await OciFake.start({ account: ACCOUNT, ...MACHINES });
  const compute = await ociModule.open(config(), environment(fake.url));
  return {
    fake,
    compute,
    definition: ociDefinition,
    owner: OWNER,
    settleMs: 2_000,
    attempt: async () => attempt((await compute.offers(QUERY, call())).find(isSmall)),
    exhaust: async () => void fake.region('eu-frankfurt-1').dryShapes.add('VM.Standard2.1'),
    loseNextCreateReply: () => {
      // What is not answered is sent again, with the same token.
      fake.lostLaunches += 6;
    },
    close: async () => {
      await compute.close?.();
      await fake.close();
    },
  };
}

export const isSmall = ({ instance, region }: Offer): boolean =>
  instance.name === 'VM.Standard2.1' && region === 'eu-frankfurt-1' && !instance.resources.spot;

export function attempt(offer: Offer | undefined, over: Partial<Attempt> = {}): Attempt {
  if (offer === undefined) throw new Error('no such offer');
  return {
    token: randomUUID(),
    cloudName: `dstack-main-${randomUUID().slice(0, 8)}`,
    owner: OWNER,
    project: 'main-project',
    user: 'admin',
    instanceName: 'one',
    offer,
    zone: offer.availability_zones?.[0] ?? null,
    reservation: null,
    tags: {},
    authorizedKeys: [PUBLIC_KEY],
    volumeIds: [],
    placementGroup: null,
    userData: null,
    container: null,
    ...over,
  };
}
