import type { Attempt, Call } from '@dstack/backend-base';
import {
  ANYTHING,
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { AwsFake, type AwsFakeOptions } from '@dstack/cloud-fakes/aws';
import type { Offer } from '@dstack/core';
import { awsModule } from '../../src/compute.js';
import { awsDefinition } from '../../src/index.js';

export {
  ANYTHING as QUERY,
  TEST_OWNER as OWNER,
  TEST_PUBLIC_KEY as PUBLIC_KEY,
  testEnvironment as environment,
} from '@dstack/backend-base/conformance';

export const ACCESS_KEY = 'AKIAFAKE';
export const SECRET_KEY = 'secret-of-the-account';

export interface AwsWorld extends ComputeOverAWire {
  readonly fake: AwsFake;
}

export const call = (): Call => testCall(20_000);

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
  const compute = await awsModule.open(config(), testEnvironment(fake.url));
  return {
    fake,
    compute,
    definition: awsDefinition,
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async () => attempt((await compute.offers(ANYTHING, call())).find(isSmall)),
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

export const attempt = (offer: Offer | undefined, over: Partial<Attempt> = {}): Attempt =>
  someAttempt(offer, { project: 'main-project', ...over });
