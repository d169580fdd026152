import { randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call } from '@dstack/backend-base';
import type { ComputeOverAWire } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { TensorDockFake } from '@dstack/cloud-fakes/tensordock';
import { tensordockModule } from '../../src/compute.js';
import { tensordockDefinition } from '../../src/index.js';

export const TOKEN = 'secret-token';
export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRlbGljaW91cw0KZGVsaWNpb3VzDQpkZWxpY2lvdXM= dstack';
export const QUERY = { requirements: { resources: {} }, fullOffers: false, unallocated: false };
const LAG_MS = 50;

export interface TensorDockWorld extends ComputeOverAWire {
  readonly fake: TensorDockFake;
}

export const call = (): Call => ({ signal: new AbortController().signal, deadline: Date.now() + 10_000 });

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

export const config = (extra: object = {}) =>
  tensordockDefinition.configSchema.parse({
    type: 'tensordock',
    creds: { api_key: 'old', api_token: TOKEN },
    ...extra,
  });

export async function startTensorDockWorld(): Promise<TensorDockWorld> {
  const fake = await TensorDockFake.start({
    token: TOKEN,
    boot: async () => '198.51.100.7',
    halt: async () => undefined,
  });
  const compute = await tensordockModule.open(config(), environment(fake.url));
  return {
    fake,
    compute,
    definition: { ...tensordockDefinition, idempotency: { kind: 'lookup', listLagMs: LAG_MS } },
    owner: OWNER,
    settleMs: 2_000,
    attempt: async () => {
      const [offer] = await compute.offers(QUERY, call());
      if (offer === undefined) throw new Error('no offer');
      return { ...ATTEMPT, token: randomUUID(), cloudName: `dstack-main-${randomUUID().slice(0, 8)}`, offer };
    },
    exhaust: async () => void (fake.isExhausted = true),
    loseNextCreateReply: () => {
      fake.lostCreates += 1;
      fake.listLagMs = LAG_MS / 2;
    },
    close: () => fake.close(),
  };
}

const ATTEMPT: Omit<Attempt, 'token' | 'cloudName' | 'offer'> = {
  owner: OWNER,
  project: 'main',
  user: 'admin',
  instanceName: 'one',
  zone: null,
  reservation: null,
  tags: {},
  authorizedKeys: [PUBLIC_KEY],
  volumeIds: [],
  placementGroup: null,
  userData: null,
  container: null,
};
