import type { Attempt, Call } from '@dstack/backend-base';
import {
  ANYTHING,
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { AzureFake, type AzureFakeOptions } from '@dstack/cloud-fakes/azure';
import type { Offer } from '@dstack/core';
import { azureModule } from '../../src/compute.js';
import { azureDefinition } from '../../src/index.js';

export {
  ANYTHING as QUERY,
  TEST_OWNER as OWNER,
  TEST_PUBLIC_KEY as PUBLIC_KEY,
  testEnvironment as environment,
} from '@dstack/backend-base/conformance';

export const ACCOUNT = {
  tenantId: '11111111-0000-4000-8000-000000000001',
  subscriptionId: '22222222-0000-4000-8000-000000000002',
  clientId: '33333333-0000-4000-8000-000000000003',
  clientSecret: 'secret-of-the-account',
};
export const CREDS = { type: 'client', client_id: ACCOUNT.clientId, client_secret: ACCOUNT.clientSecret };

export interface AzureWorld extends ComputeOverAWire {
  readonly fake: AzureFake;
}

export const call = (): Call => testCall(20_000);

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
  const compute = await azureModule.open(config(), testEnvironment(fake.url));
  return {
    fake,
    compute,
    definition: azureDefinition,
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async () => attempt((await compute.offers(ANYTHING, call())).find(isSmall)),
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

export const attempt = (offer: Offer | undefined, over: Partial<Attempt> = {}): Attempt =>
  someAttempt(offer, { project: 'main-project', ...over });
