import { generateKeyPairSync } from 'node:crypto';
import type { Attempt, Call } from '@dstack/backend-base';
import {
  ANYTHING,
  type ComputeOverAWire,
  someAttempt,
  TEST_OWNER,
  testCall,
  testEnvironment,
} from '@dstack/backend-base/conformance';
import { OciFake, type OciFakeOptions } from '@dstack/cloud-fakes/oci';
import type { Offer } from '@dstack/core';
import { ociModule } from '../../src/compute.js';
import { ociDefinition } from '../../src/index.js';

export {
  ANYTHING as QUERY,
  TEST_OWNER as OWNER,
  TEST_PUBLIC_KEY as PUBLIC_KEY,
  testEnvironment as environment,
} from '@dstack/backend-base/conformance';

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

export const ACCOUNT = {
  tenancy: 'ocid1.tenancy.oc1..main',
  user: 'ocid1.user.oc1..dstack',
  fingerprint: '20:3b:97:13:55:1c:5b:0d:d3:37:d8:50:4e:c5:3a:34',
  publicKey,
};
export const PRIVATE_KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const CREDS = {
  type: 'client',
  user: ACCOUNT.user,
  tenancy: ACCOUNT.tenancy,
  fingerprint: ACCOUNT.fingerprint,
  region: 'us-ashburn-1',
  key_content: PRIVATE_KEY,
};

export interface OciWorld extends ComputeOverAWire {
  readonly fake: OciFake;
}

export const call = (): Call => testCall(20_000);

export function config(extra: object = {}) {
  return ociDefinition.configSchema.parse({
    type: 'oci',
    regions: ['eu-frankfurt-1', 'us-ashburn-1'],
    creds: CREDS,
    ...extra,
  });
}

const MACHINES: Pick<OciFakeOptions, 'boot' | 'halt'> = {
  boot: async () => '198.51.100.7',
  halt: async () => undefined,
};

export async function startOciWorld(): Promise<OciWorld> {
  const fake = await OciFake.start({ account: ACCOUNT, ...MACHINES });
  const compute = await ociModule.open(config(), testEnvironment(fake.url));
  return {
    fake,
    compute,
    definition: ociDefinition,
    owner: TEST_OWNER,
    settleMs: 2_000,
    attempt: async () => attempt((await compute.offers(ANYTHING, call())).find(isSmall)),
    exhaust: async () => void fake.region('eu-frankfurt-1').dryShapes.add('VM.Standard2.1'),
    loseNextCreateReply: () => {
      // What is not answered is sent again, with the same token.
      fake.lostLaunches += 6;
    },
    close: async () => {
      await compute.close?.();
      await fake.close();
    },
  };
}

export const isSmall = ({ instance, region }: Offer): boolean =>
  instance.name === 'VM.Standard2.1' && region === 'eu-frankfurt-1' && !instance.resources.spot;

export const attempt = (offer: Offer | undefined, over: Partial<Attempt> = {}): Attempt =>
  someAttempt(offer, { project: 'main-project', ...over });
