import { type BackendModule, isBackendError } from '@dstack/backend-base';
import { TensorDockClient } from './client.js';
import type { TensorDockConfig } from './definition.js';
import { TensorDockCompute } from './tensordock-compute.js';

export const tensordockModule: BackendModule<TensorDockConfig> = {
  async validate({ creds }, environment, signal) {
    const client = await TensorDockClient.open(creds.api_token, environment);
    try {
      await client.instances({ signal, deadline: environment.now() + 5_000 });
      return [];
    } catch (error) {
      if (isBackendError(error) && error.failure.kind === 'credentials')
        return [{ path: ['creds', 'api_token'], message: error.message }];
      throw error;
    }
  },

  async open({ creds, regions }, environment) {
    const client = await TensorDockClient.open(creds.api_token, environment);
    return new TensorDockCompute({ client, regions: regions ?? null, environment });
  },
};
