import { randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call } from '@dstack/backend-base';
import type { ComputeOverAWire } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { LambdaFake, type LambdaFakeOptions } from '@dstack/cloud-fakes/lambda';
import { lambdaModule } from '../../src/compute.js';
import { lambdaDefinition } from '../../src/index.js';

export const API_KEY = 'secret-key';
export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRlbGljaW91cw0KZGVsaWNpb3VzDQpkZWxpY2lvdXM= dstack';
const LAG_MS = 50;

export interface LambdaWorld extends ComputeOverAWire {
  readonly fake: LambdaFake;
}

export const call = (): Call => ({ signal: new AbortController().signal, deadline: Date.now() + 10_000 });

/** Time passes as it does, but nobody waits between two requests. */
export function environment(endpoint: string): BackendEnvironment & { readonly said: string[] } {
  const said: string[] = [];
  return {
    now: Date.now,
    random: () => 0.5,
    sleep: async (_ms, signal) => signal.throwIfAborted(),
    log: (_level, message) => void said.push(message),
    catalog: bundledCatalog,
    endpoint,
    said,
  };
}

const MACHINES: Pick<LambdaFakeOptions, 'boot' | 'halt'> = {
  boot: async () => '198.51.100.7',
  halt: async () => undefined,
};

export async function startLambdaWorld(machines: Partial<typeof MACHINES> = {}): Promise<LambdaWorld> {
  const fake = await LambdaFake.start({ apiKey: API_KEY, ...MACHINES, ...machines });
  const config = lambdaDefinition.configSchema.parse({ type: 'lambda', creds: { api_key: API_KEY } });
  const compute = await lambdaModule.open(config, environment(fake.url));
  return {
    fake,
    compute,
    definition: { ...lambdaDefinition, idempotency: { kind: 'lookup', listLagMs: LAG_MS } },
    owner: OWNER,
    settleMs: 2_000,
    attempt: async () => attempt(await compute.offers(QUERY, call())),
    exhaust: async () => void fake.exhausted.add('gpu_1x_a10'),
    loseNextCreateReply: () => {
      fake.lostLaunches += 1;
      fake.listLagMs = LAG_MS / 2;
    },
    close: () => fake.close(),
  };
}

export const QUERY = { requirements: { resources: {} }, fullOffers: false, unallocated: false };

function attempt(offers: Awaited<ReturnType<LambdaWorld['compute']['offers']>>): Attempt {
  const offer = offers.find(
    ({ instance, availability }) => instance.name === 'gpu_1x_a10' && availability === 'available',
  );
  if (offer === undefined) throw new Error('no offer of an A10');
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
    authorizedKeys: [PUBLIC_KEY],
    volumeIds: [],
    placementGroup: null,
    userData: null,
    container: null,
  };
}
