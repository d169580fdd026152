import { type BackendModule, isBackendError } from '@dstack/backend-base';
import { VastaiClient } from './client.js';
import type { VastaiConfig } from './definition.js';
import { VastaiCompute } from './vastai-compute.js';

export const vastaiModule: BackendModule<VastaiConfig> = {
  async validate({ creds }, environment, signal) {
    const client = await VastaiClient.open(creds.api_key, environment);
    try {
      // Searching is open to anybody: the instances are not. None has the name.
      await client.instances({ label: { eq: 'dstack-validation' } }, { signal, deadline: environment.now() + 5_000 });
      return [];
    } catch (error) {
      if (isBackendError(error) && error.failure.kind === 'credentials')
        return [{ path: ['creds', 'api_key'], message: error.message }];
      throw error;
    }
  },

  async open({ creds, regions, community_cloud: hasCommunity }, environment) {
    const client = await VastaiClient.open(creds.api_key, environment);
    return new VastaiCompute({
      client,
      regions: regions?.map((region) => region.toLowerCase()) ?? null,
      withCommunity: hasCommunity ?? true,
      environment,
    });
  },
};
