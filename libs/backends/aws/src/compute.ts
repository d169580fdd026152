import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { type BackendEnvironment, type BackendModule, type ConfigIssue, isBackendError } from '@dstack/backend-base';
import { agents } from './agents.js';
import { AwsCompute } from './aws-compute.js';
import { type AwsAccess, Ec2 } from './client.js';
import { type AwsConfig, DEFAULT_REGIONS } from './definition.js';
import { explainAws } from './errors.js';
import { Networks } from './networks.js';

const MAIN_REGION = 'us-east-1';

export const awsModule: BackendModule<AwsConfig> = {
  async validate(config, environment, signal) {
    const access = accessOf(config, environment);
    const regions = config.regions ?? DEFAULT_REGIONS;
    const refused = await whyRefused(config, regions[0] ?? MAIN_REGION, access, signal);
    if (refused !== null) return refused;
    const networks = new Networks(config, 0, environment.now);
    const call = { signal, deadline: environment.now() + 15_000 };
    const issues = await Promise.all(regions.map((region) => networkIssue(region, networks, access, call)));
    return issues.flat();
  },

  async open(config, environment) {
    return new AwsCompute({ config, access: accessOf(config, environment), environment });
  },
};

function accessOf({ creds }: AwsConfig, { endpoint, now }: BackendEnvironment): AwsAccess {
  const credentials =
    creds.type === 'default' ? null : { accessKeyId: creds.access_key, secretAccessKey: creds.secret_key };
  return { credentials, endpoint, now };
}

/** Null: AWS knows who asks. */
async function whyRefused(
  { creds }: AwsConfig,
  region: string,
  { credentials, endpoint }: AwsAccess,
  signal: AbortSignal,
): Promise<ConfigIssue[] | null> {
  const client = new STSClient({
    region,
    ...(credentials === null ? {} : { credentials }),
    ...(endpoint === null ? {} : { endpoint }),
    requestHandler: { connectionTimeout: 5_000, requestTimeout: 15_000, ...agents() },
  });
  try {
    await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal });
    return null;
  } catch (error) {
    signal.throwIfAborted();
    const explained = explainAws(error);
    if (explained.failure.kind !== 'credentials') throw explained;
    const fields = creds.type === 'default' ? [['creds']] : [['creds', 'access_key'], ['creds', 'secret_key']]; // prettier-ignore
    return fields.map((path) => ({ path, message: explained.message }));
  } finally {
    client.destroy();
  }
}

async function networkIssue(
  region: string,
  networks: Networks,
  access: AwsAccess,
  call: { readonly signal: AbortSignal; readonly deadline: number },
): Promise<ConfigIssue[]> {
  const client = new Ec2(region, access);
  try {
    await networks.of(region, client, call);
    return [];
  } catch (error) {
    if (isBackendError(error) && error.failure.kind === 'not-found')
      return [{ path: ['regions'], message: error.message }];
    throw error;
  } finally {
    client.close();
  }
}
