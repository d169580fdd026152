import { randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call } from '@dstack/backend-base';
import { type ComputeOverAWire, testContainer } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { RunpodFake, type RunpodFakeOptions } from '@dstack/cloud-fakes/runpod';
import { runpodModule } from '../../src/compute.js';
import { type RunpodConfig, runpodDefinition } from '../../src/index.js';

export const API_KEY = 'rpa_secret';
export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
const LAG_MS = 50;
export const GPU = 'NVIDIA L4';

export interface RunpodWorld extends ComputeOverAWire {
  readonly fake: RunpodFake;
  attempt(over?: Partial<Attempt>): Promise<Attempt>;
}

export const call = (): Call => ({ signal: new AbortController().signal, deadline: Date.now() + 10_000 });

/** Time passes as `clock` says, and nobody waits between two requests. */
export function environment(
  endpoint: string,
  clock = { aheadMs: 0 },
): BackendEnvironment & { readonly said: string[] } {
  const said: string[] = [];
  return {
    now: () => Date.now() + clock.aheadMs,
    random: () => 0.5,
    sleep: async (_ms, signal) => signal.throwIfAborted(),
    log: (_level, message) => void said.push(message),
    catalog: bundledCatalog,
    endpoint,
    said,
  };
}

export const config = (extra: object = {}): RunpodConfig =>
  runpodDefinition.configSchema.parse({ type: 'runpod', creds: { api_key: API_KEY }, ...extra });

const CONTAINERS: Pick<RunpodFakeOptions, 'boot' | 'halt'> = {
  boot: async () => ({ host: '203.0.113.40', port: 14_321 }),
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
    owner: OWNER,
    settleMs: 2_000,
    attempt: async (more) => ({ ...attemptFor(await compute.offers(QUERY, call())), ...more }),
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
  if (offer === undefined) throw new Error('no offer of an L4');
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
