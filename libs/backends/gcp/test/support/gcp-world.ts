import { randomUUID } from 'node:crypto';
import type { Attempt, BackendEnvironment, Call, Compute } from '@dstack/backend-base';
import type { ComputeOverAWire } from '@dstack/backend-base/conformance';
import { bundledCatalog } from '@dstack/catalog';
import { GcpFake } from '@dstack/cloud-fakes/gcp';
import type { Offer } from '@dstack/core';
import { gcpModule } from '../../src/compute.js';
import { gcpDefinition } from '../../src/index.js';

export const OWNER = '3f0c7e0a-0000-4000-8000-000000000001';
export const PUBLIC_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDRlbGljaW91cw0KZGVsaWNpb3VzDQpkZWxpY2lvdXM= dstack';
export const QUERY = { requirements: { resources: {} }, fullOffers: false, unallocated: false };

/** Tries of one request, all of whose answers get lost. */
const ALL_TRIES = 6;

export interface GcpWorld extends ComputeOverAWire {
  readonly fake: GcpFake;
}

export const call = (): Call => ({ signal: new AbortController().signal, deadline: Date.now() + 50_000 });

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

export function config(fake: GcpFake, extra: object = {}) {
  return gcpDefinition.configSchema.parse({
    type: 'gcp',
    project_id: fake.project,
    regions: ['us-central1', 'europe-west4'],
    creds: { type: 'service_account', data: fake.key.file },
    ...extra,
  });
}

export function startFake(): Promise<GcpFake> {
  return GcpFake.start({
    boot: async () => '198.51.100.7',
    halt: async () => undefined,
    bootNode: async () => '198.51.100.8',
    haltNode: async () => undefined,
  });
}

export async function offerOf(compute: Compute, is: (offer: Offer) => boolean): Promise<Offer> {
  const found = (await compute.offers(QUERY, call())).find(is);
  if (found === undefined) throw new Error('no such offer');
  return found;
}

export const named =
  (type: string, isSpot = false) =>
  (offer: Offer): boolean =>
    offer.instance.name === type && offer.region === 'us-central1' && offer.instance.resources.spot === isSpot;

/** The machines are of the type. */
export async function startGcpWorld(type = 'e2-standard-2', extra: object = {}): Promise<GcpWorld> {
  const fake = await startFake();
  const compute = await gcpModule.open(config(fake, extra), environment(fake.url));
  return {
    fake,
    compute,
    definition: gcpDefinition,
    owner: OWNER,
    settleMs: 2_000,
    attempt: async () => attempt(await offerOf(compute, named(type))),
    exhaust: async () => {
      fake.gce.dry.add(type);
      for (const zone of ['a', 'b', 'c', 'f']) fake.tpu.dry.add(`us-central1-${zone}/${type}`);
    },
    loseNextCreateReply: () => {
      fake.lostInserts += ALL_TRIES;
    },
    close: () => fake.close(),
  };
}

export function attempt(offer: Offer, over: Partial<Attempt> = {}): Attempt {
  return {
    token: randomUUID(),
    cloudName: `dstack-main-${randomUUID().slice(0, 8)}`,
    owner: OWNER,
    project: 'Main-Project',
    user: 'Admin',
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
