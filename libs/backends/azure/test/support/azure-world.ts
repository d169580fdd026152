import { randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call } from '@dstack/backend-base';
import type { ComputeOverAWire } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { AzureFake, type AzureFakeOptions } from '@dstack/cloud-fakes/azure';
import type { Offer } from '@dstack/core';
import { azureModule } from '../../src/compute.js';
import { azureDefinition } from '../../src/index.js';

export const ACCOUNT = {
  tenantId: '11111111-0000-4000-8000-000000000001',
  subscriptionId: '22222222-0000-4000-8000-000000000002',
  clientId: '33333333-0000-4000-8000-000000000003',
  clientSecret: 'secret-of-the-account',
};
export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRlbGljaW91cw0KZGVsaWNpb3VzDQpkZWxpY2lvdXM= dstack';
export const QUERY = { requirements: { resources: {} }, fullOffers: false, unallocated: false };
export const CREDS = { type: 'client', client_id: ACCOUNT.clientId, client_secret: ACCOUNT.clientSecret };

export interface AzureWorld extends ComputeOverAWire {
  readonly fake: AzureFake;
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
  return azureDefinition.configSchema.parse({
    type: 'azure',
    tenant_id: ACCOUNT.tenantId,
    subscription_id: ACCOUNT.subscriptionId,
    regions: ['eastus', 'westus2'],
    creds: CREDS,
    ...extra,
  });
}

const MACHINES: Pick<AzureFakeOptions, 'boot' | 'halt'> = {
  boot: async () => '198.51.100.7',
  halt: async () => undefined,
};

export async function startAzureWorld(): Promise<AzureWorld> {
  const fake = await AzureFake.start({ account: ACCOUNT, ...MACHINES });
  const compute = await azureModule.open(config(), environment(fake.url));
  return {
    fake,
    compute,
    definition: azureDefinition,
    owner: OWNER,
    settleMs: 2_000,
    attempt: async () => attempt((await compute.offers(QUERY, call())).find(isSmall)),
    exhaust: async () => void fake.compute.drySizes.add('Standard_D2s_v6'),
    loseNextCreateReply: () => {
      // What is not answered is sent again, and changes nothing.
      fake.lostCreates += 6;
    },
    close: async () => {
      await compute.close?.();
      await fake.close();
    },
  };
}

export const isSmall = ({ instance, region }: Offer): boolean =>
  instance.name === 'Standard_D2s_v6' && region === 'eastus' && !instance.resources.spot;

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
