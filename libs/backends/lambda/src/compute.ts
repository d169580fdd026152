import { type BackendModule, isBackendError } from '@dstack/backend-base';
import { LambdaClient } from './client.js';
import type { LambdaConfig } from './definition.js';
import { LambdaCompute } from './lambda-compute.js';

export const lambdaModule: BackendModule<LambdaConfig> = {
  async validate({ creds, regions }, environment, signal) {
    const client = await LambdaClient.open(creds.api_key, environment);
    const call = { signal, deadline: environment.now() + 5_000 };
    try {
      const known = await client.regions(call);
      return (regions ?? []).flatMap((region, index) =>
        known.includes(region)
          ? []
          : [{ path: ['regions', index], message: `Lambda has no region ${region}: it has ${known.join(', ')}` }],
      );
    } catch (error) {
      if (isBackendError(error) && error.failure.kind === 'credentials')
        return [{ path: ['creds', 'api_key'], message: error.message }];
      throw error;
    }
  },

  async open({ creds, regions }, environment) {
    const client = await LambdaClient.open(creds.api_key, environment);
    return new LambdaCompute({ client, regions: regions ?? null, environment });
  },
};
