import type { Attempt, Call } from '@dstack/backend-base';
import {
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testContainer,
  type TestEnvironment,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { RunpodFake, type RunpodFakeOptions } from '@dstack/cloud-fakes/runpod';
import { runpodModule } from '../../src/compute.js';
import { type RunpodConfig, runpodDefinition } from '../../src/index.js';

export { TEST_OWNER as OWNER } from '@dstack/backend-base/conformance';

export const API_KEY = 'rpa_secret';
const LAG_MS = 50;
export const GPU = 'NVIDIA L4';

export interface RunpodWorld extends ComputeOverAWire {
  readonly fake: RunpodFake;
  attempt(over?: Partial<Attempt>): Promise<Attempt>;
}

export const call = (): Call => testCall(10_000);

/** Time passes as `clock` says, and nobody waits between two requests. */
export const environment = (endpoint: string, clock = { aheadMs: 0 }): TestEnvironment =>
  testEnvironment(endpoint, () => Date.now() + clock.aheadMs);

export const config = (extra: object = {}): RunpodConfig =>
  runpodDefinition.configSchema.parse({ type: 'runpod', creds: { api_key: API_KEY }, ...extra });

const CONTAINERS: Pick<RunpodFakeOptions, 'boot' | 'halt'> = {
  boot: async ({ cluster }) =>
    cluster === null
      ? { host: '203.0.113.40', port: 14_321 }
      : { host: '203.0.113.40', port: 14_321 + cluster.rank, internalIp: `10.65.0.${2 + cluster.rank}` },
  halt: async () => undefined,
};

export async function startRunpodWorld(
  over: Partial<typeof CONTAINERS> & { clock?: { aheadMs: number } } = {},
): Promise<RunpodWorld> {
  const { clock, ...containers } = over;
  const fake = await RunpodFake.start({ apiKey: API_KEY, ...CONTAINERS, ...containers });
  const compute = await runpodModule.open(config(), environment(fake.url, clock));
  return {
    fake,
    compute,
    definition: { ...runpodDefinition, idempotency: { kind: 'lookup', listLagMs: LAG_MS } },
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async (more) => ({ ...attemptFor(await compute.offers(QUERY, call())), ...more }),
    group: async () => ({ attempt: await clusterAttempt(compute), size: 3 }),
    exhaust: async () => void fake.exhausted.add(GPU),
    loseNextCreateReply: () => {
      fake.lostDeployments += 1;
      fake.listLagMs = LAG_MS / 2;
    },
    close: async () => {
      await fake.close();
      expect(fake.violations).toEqual([]);
    },
  };
}

export const QUERY = {
  requirements: { resources: { gpu: { name: ['L4'], count: { min: 1, max: 1 } } }, spot: false },
  fullOffers: false,
  unallocated: false,
};

function attemptFor(offers: Awaited<ReturnType<RunpodWorld['compute']['offers']>>): Attempt {
  const offer = offers.find(({ instance, availability }) => instance.name === GPU && availability === 'available');
  return someAttempt(offer, { authorizedKeys: [], container: testContainer() });
}

export const CLUSTER_GPU = 'NVIDIA H100 80GB HBM3';
export const CLUSTER_QUERY = {
  ...QUERY,
  requirements: { resources: { gpu: { name: ['H100'], count: { min: 8, max: 8 } } }, spot: false, multinode: true },
};

export async function clusterAttempt(compute: RunpodWorld['compute'], over: Partial<Attempt> = {}): Promise<Attempt> {
  const offers = await compute.offers(CLUSTER_QUERY, call());
  const offer = offers.find(({ availability }) => availability === 'available');
  return someAttempt(offer, { authorizedKeys: [], container: testContainer(), ...over });
}
