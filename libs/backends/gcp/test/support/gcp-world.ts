import type { Attempt, Call, Compute } from '@dstack/backend-base';
import {
  ANYTHING,
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { GcpFake } from '@dstack/cloud-fakes/gcp';
import type { Offer } from '@dstack/core';
import { gcpModule } from '../../src/compute.js';
import { gcpDefinition } from '../../src/index.js';

export {
  ANYTHING as QUERY,
  TEST_OWNER as OWNER,
  TEST_PUBLIC_KEY as PUBLIC_KEY,
  testEnvironment as environment,
} from '@dstack/backend-base/conformance';

/** Tries of one request, all of whose answers get lost. */
const ALL_TRIES = 6;

export interface GcpWorld extends ComputeOverAWire {
  readonly fake: GcpFake;
}

export const call = (): Call => testCall(50_000);

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
    bootNode: async (_node, host) => `198.51.100.${8 + host}`,
    haltNode: async () => undefined,
  });
}

export async function offerOf(compute: Compute, is: (offer: Offer) => boolean): Promise<Offer> {
  const found = (await compute.offers(ANYTHING, call())).find(is);
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
  const compute = await gcpModule.open(config(fake, extra), testEnvironment(fake.url));
  return {
    fake,
    compute,
    definition: gcpDefinition,
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async () => attempt(await offerOf(compute, named(type))),
    group: async () => ({ attempt: attempt(await offerOf(compute, named('v5litepod-16'))), size: 4 }),
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

export const attempt = (offer: Offer | undefined, over: Partial<Attempt> = {}): Attempt =>
  someAttempt(offer, { project: 'Main-Project', user: 'Admin', ...over });
