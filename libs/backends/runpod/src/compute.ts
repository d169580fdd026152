import { type BackendModule, isBackendError } from '@dstack/backend-base';
import { RunpodClient } from './client.js';
import type { RunpodConfig } from './definition.js';
import { isCountry, placesOf } from './places.js';
import { RunpodCompute } from './runpod-compute.js';

export const runpodModule: BackendModule<RunpodConfig> = {
  async validate({ creds, regions, community_cloud: hasCommunity }, environment, signal) {
    const client = await RunpodClient.open(creds.api_key, environment);
    const call = { signal, deadline: environment.now() + 5_000 };
    try {
      // The price list is open to anybody: the pods are not.
      await client.pods(call);
      const known = (regions ?? []).some((region) => !isCountry(region)) ? await client.dataCenters(call) : [];
      return (regions ?? []).flatMap((region, index) => {
        const message = isCountry(region)
          ? countryProblem(region, hasCommunity === true)
          : dataCenterProblem(region, known);
        return message === null ? [] : [{ path: ['regions', index], message }];
      });
    } catch (error) {
      if (isBackendError(error) && error.failure.kind === 'credentials')
        return [{ path: ['creds', 'api_key'], message: error.message }];
      throw error;
    }
  },

  async open({ creds, regions, community_cloud: hasCommunity }, environment) {
    const client = await RunpodClient.open(creds.api_key, environment);
    return new RunpodCompute({ client, places: placesOf(regions ?? null, hasCommunity === true), environment });
  },
};

function dataCenterProblem(region: string, known: readonly string[]): string | null {
  return known.includes(region.toUpperCase())
    ? null
    : `RunPod has no data center ${region}: it has ${known.join(', ')}`;
}

function countryProblem(region: string, hasCommunity: boolean): string | null {
  if (!/^[A-Za-z]{2}$/.test(region)) return `${region} is neither a data center (EU-RO-1) nor a country (CA)`;
  return hasCommunity
    ? null
    : `${region} is a country: only the community cloud is in countries (community_cloud: true)`;
}
