import { randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call } from '@dstack/backend-base';
import { type ComputeOverAWire, testContainer } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { VastaiFake, type VastaiFakeOptions } from '@dstack/cloud-fakes/vastai';
import { vastaiModule } from '../../src/compute.js';
import { type VastaiConfig, vastaiDefinition } from '../../src/index.js';

export const API_KEY = 'vast-secret';
export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
const LAG_MS = 50;

export interface VastaiWorld extends ComputeOverAWire {
  readonly fake: VastaiFake;
  attempt(over?: Partial<Attempt>): Promise<Attempt>;
}

export const call = (): Call => ({ signal: new AbortController().signal, deadline: Date.now() + 10_000 });

/** Time passes as it does, and nobody waits between two requests. */
export function environment(endpoint: string): BackendEnvironment {
  return {
    now: Date.now,
    random: () => 0.5,
    sleep: async (_ms, signal) => signal.throwIfAborted(),
    log: () => undefined,
    catalog: bundledCatalog,
    endpoint,
  };
}

export const config = (extra: object = {}): VastaiConfig =>
  vastaiDefinition.configSchema.parse({ type: 'vastai', creds: { api_key: API_KEY }, ...extra });

const CONTAINERS: Pick<VastaiFakeOptions, 'boot' | 'halt'> = {
  boot: async () => ({ host: '203.0.113.40', port: 14_321 }),
  halt: async () => undefined,
};

export async function startVastaiWorld(containers: Partial<typeof CONTAINERS> = {}): Promise<VastaiWorld> {
  const fake = await VastaiFake.start({ apiKey: API_KEY, ...CONTAINERS, ...containers });
  const compute = await vastaiModule.open(config(), environment(fake.url));
  return {
    fake,
    compute,
    definition: { ...vastaiDefinition, idempotency: { kind: 'lookup', listLagMs: LAG_MS } },
    owner: OWNER,
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
  if (offer === undefined) throw new Error('no offer of an A100');
  return {
    token: randomUUID(),
    cloudName: `dstack-main-${randomUUID().slice(0, 8)}`,
    owner: OWNER,
    project: 'main',
    user: 'admin',
    instanceName: 'one',
    offer,
    zone: null,
    reservation: null,
    tags: {},
    authorizedKeys: [],
    volumeIds: [],
    placementGroup: null,
    userData: null,
    container: testContainer(),
  };
}
