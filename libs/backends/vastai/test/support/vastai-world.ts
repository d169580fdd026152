import type { Attempt, Call } from '@dstack/backend-base';
import {
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testContainer,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { VastaiFake, type VastaiFakeOptions } from '@dstack/cloud-fakes/vastai';
import { vastaiModule } from '../../src/compute.js';
import { type VastaiConfig, vastaiDefinition } from '../../src/index.js';

export { TEST_OWNER as OWNER, testEnvironment as environment } from '@dstack/backend-base/conformance';

export const API_KEY = 'vast-secret';
const LAG_MS = 50;

export interface VastaiWorld extends ComputeOverAWire {
  readonly fake: VastaiFake;
  attempt(over?: Partial<Attempt>): Promise<Attempt>;
}

export const call = (): Call => testCall(10_000);

export const config = (extra: object = {}): VastaiConfig =>
  vastaiDefinition.configSchema.parse({ type: 'vastai', creds: { api_key: API_KEY }, ...extra });

const CONTAINERS: Pick<VastaiFakeOptions, 'boot' | 'halt'> = {
  boot: async () => ({ host: '203.0.113.40', port: 14_321 }),
  halt: async () => undefined,
};

export async function startVastaiWorld(containers: Partial<typeof CONTAINERS> = {}): Promise<VastaiWorld> {
  const fake = await VastaiFake.start({ apiKey: API_KEY, ...CONTAINERS, ...containers });
  const compute = await vastaiModule.open(config(), testEnvironment(fake.url));
  return {
    fake,
    compute,
    definition: { ...vastaiDefinition, idempotency: { kind: 'lookup', listLagMs: LAG_MS } },
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async (more) => ({ ...attemptFor(await compute.offers(QUERY, call())), ...more }),
    exhaust: async () => fake.asks.forEach(({ id }) => fake.taken.add(id)),
    loseNextCreateReply: () => {
      fake.lostCreations += 1;
      fake.listLagMs = LAG_MS / 2;
    },
    close: async () => {
      await fake.close();
      expect(fake.violations).toEqual([]);
    },
  };
}

export const QUERY = {
  requirements: { resources: { gpu: { name: ['A100'], count: { min: 1, max: 1 } }, disk: { size: { min: 100 } } } },
  fullOffers: false,
  unallocated: false,
};

function attemptFor(offers: Awaited<ReturnType<VastaiWorld['compute']['offers']>>): Attempt {
  const offer = offers.find(({ instance }) => !instance.resources.spot);
  return someAttempt(offer, { authorizedKeys: [], container: testContainer() });
}
