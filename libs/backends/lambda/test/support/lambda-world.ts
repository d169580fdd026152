import type { Attempt, Call } from '@dstack/backend-base';
import {
  ANYTHING,
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { LambdaFake, type LambdaFakeOptions } from '@dstack/cloud-fakes/lambda';
import { lambdaModule } from '../../src/compute.js';
import { lambdaDefinition } from '../../src/index.js';

export {
  ANYTHING as QUERY,
  TEST_OWNER as OWNER,
  TEST_PUBLIC_KEY as PUBLIC_KEY,
  testEnvironment as environment,
} from '@dstack/backend-base/conformance';

export const API_KEY = 'secret-key';
const LAG_MS = 50;

export interface LambdaWorld extends ComputeOverAWire {
  readonly fake: LambdaFake;
}

export const call = (): Call => testCall(10_000);

const MACHINES: Pick<LambdaFakeOptions, 'boot' | 'halt'> = {
  boot: async () => '198.51.100.7',
  halt: async () => undefined,
};

export async function startLambdaWorld(machines: Partial<typeof MACHINES> = {}): Promise<LambdaWorld> {
  const fake = await LambdaFake.start({ apiKey: API_KEY, ...MACHINES, ...machines });
  const config = lambdaDefinition.configSchema.parse({ type: 'lambda', creds: { api_key: API_KEY } });
  const compute = await lambdaModule.open(config, testEnvironment(fake.url));
  return {
    fake,
    compute,
    definition: { ...lambdaDefinition, idempotency: { kind: 'lookup', listLagMs: LAG_MS } },
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async () => attempt(await compute.offers(ANYTHING, call())),
    exhaust: async () => void fake.exhausted.add('gpu_1x_a10'),
    loseNextCreateReply: () => {
      fake.lostLaunches += 1;
      fake.listLagMs = LAG_MS / 2;
    },
    close: () => fake.close(),
  };
}

function attempt(offers: Awaited<ReturnType<LambdaWorld['compute']['offers']>>): Attempt {
  const offer = offers.find(
    ({ instance, availability }) => instance.name === 'gpu_1x_a10' && availability === 'available',
  );
  return someAttempt(offer);
}
