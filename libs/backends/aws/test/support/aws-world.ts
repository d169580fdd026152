import { randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call } from '@dstack/backend-base';
import type { ComputeOverAWire } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { AwsFake, type AwsFakeOptions } from '@dstack/cloud-fakes/aws';
import type { Offer } from '@dstack/core';
import { awsModule } from '../../src/compute.js';
import { awsDefinition } from '../../src/index.js';

export const ACCESS_KEY = 'AKIAFAKE';
export const SECRET_KEY = 'secret-of-the-account';
export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRlbGljaW91cw0KZGVsaWNpb3VzDQpkZWxpY2lvdXM= dstack';
export const QUERY = { requirements: { resources: {} }, fullOffers: false, unallocated: false };

export interface AwsWorld extends ComputeOverAWire {
  readonly fake: AwsFake;
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
  return awsDefinition.configSchema.parse({
    type: 'aws',
    regions: ['us-east-1', 'eu-west-1'],
    creds: { type: 'access_key', access_key: ACCESS_KEY, secret_key: SECRET_KEY },
    ...extra,
  });
}

const MACHINES: Omit<AwsFakeOptions, 'accessKey'> = {
  boot: async () => '198.51.100.7',
  halt: async () => undefined,
};

export async function startAwsWorld(): Promise<AwsWorld> {
  const fake = await AwsFake.start({ accessKey: ACCESS_KEY, ...MACHINES });
  const compute = await awsModule.open(config(), environment(fake.url));
  return {
    fake,
    compute,
    definition: awsDefinition,
    owner: OWNER,
    settleMs: 2_000,
    attempt: async () => attempt((await compute.offers(QUERY, call())).find(isSmall)),
    exhaust: async () => void fake.region('us-east-1').dryTypes.add('t3.medium'),
    loseNextCreateReply: () => {
      // The SDK itself repeats what is not answered, with the same token.
      fake.lostLaunches += 4;
    },
    close: async () => {
      await compute.close?.();
      await fake.close();
    },
  };
}

export const isSmall = ({ instance, region }: Offer): boolean =>
  instance.name === 't3.medium' && region === 'us-east-1' && !instance.resources.spot;

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
