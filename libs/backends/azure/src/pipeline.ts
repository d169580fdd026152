import type { ComputeManagementClient } from '@azure/arm-compute';
import type { TokenCredential } from './token-credential.js';

type Pipeline = ComputeManagementClient['pipeline'];
type Policy = Parameters<Pipeline['addPolicy']>[0];

export const SCOPE = 'https://management.azure.com/.default';

/** The libraries' own policy waits as long as Azure says, whether the call has that long or not: calls are repeated by `Arm` instead. */
export function noRetries(pipeline: Pipeline): void {
  pipeline.removePolicy({ name: 'defaultRetryPolicy' });
}

/** The libraries send no token over plain HTTP, which stand-ins on loopback speak. */
export function ownToken(pipeline: Pipeline, credential: TokenCredential): void {
  pipeline.removePolicy({ name: 'bearerTokenAuthenticationPolicy' });
  const policy: Policy = {
    name: 'dstackTokenPolicy',
    async sendRequest(request, next) {
      const token = await credential.getToken(
        SCOPE,
        request.abortSignal === undefined ? {} : { abortSignal: request.abortSignal },
      );
      if (token !== null) request.headers.set('authorization', `Bearer ${token.token}`);
      return next(request);
    },
  };
  pipeline.addPolicy(policy, { phase: 'Sign' });
}
