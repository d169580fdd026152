import type { Call } from '@dstack/backend-base';
import {
  ANYTHING,
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { TensorDockFake } from '@dstack/cloud-fakes/tensordock';
import { tensordockModule } from '../../src/compute.js';
import { tensordockDefinition } from '../../src/index.js';

export {
  ANYTHING as QUERY,
  TEST_OWNER as OWNER,
  TEST_PUBLIC_KEY as PUBLIC_KEY,
  testEnvironment as environment,
} from '@dstack/backend-base/conformance';

export const TOKEN = 'secret-token';
const LAG_MS = 50;

export interface TensorDockWorld extends ComputeOverAWire {
  readonly fake: TensorDockFake;
}

export const call = (): Call => testCall(10_000);

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
  const compute = await tensordockModule.open(config(), testEnvironment(fake.url));
  return {
    fake,
    compute,
    definition: { ...tensordockDefinition, idempotency: { kind: 'lookup', listLagMs: LAG_MS } },
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async () => someAttempt((await compute.offers(ANYTHING, call()))[0]),
    exhaust: async () => void (fake.isExhausted = true),
    loseNextCreateReply: () => {
      fake.lostCreates += 1;
      fake.listLagMs = LAG_MS / 2;
    },
    close: () => fake.close(),
  };
}
