import type { ComputeManagementClient } from '@azure/arm-compute';
import { type BackendEnvironment, isBackendError } from '@dstack/backend-base';
import { decideRetry } from './decide-retry.js';
import type { TokenCredential } from './token-credential.js';

type Pipeline = ComputeManagementClient['pipeline'];
type Policy = Parameters<Pipeline['addPolicy']>[0];

export const SCOPE = 'https://management.azure.com/.default';

/**
 * Repeats what was turned away or failed for a moment. The libraries' own policy waits as long as Azure says, which a call may not have:
 * a long wait is told, and not waited for.
 */
export function ownRetries(pipeline: Pipeline, environment: Pick<BackendEnvironment, 'now' | 'sleep'>): void {
  pipeline.removePolicy({ name: 'defaultRetryPolicy' });
  pipeline.addPolicy(retries(environment), { phase: 'Retry' });
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

function retries({ sleep, now }: Pick<BackendEnvironment, 'now' | 'sleep'>): Policy {
  return {
    name: 'dstackRetryPolicy',
    async sendRequest(request, next) {
      const signal = request.abortSignal instanceof AbortSignal ? request.abortSignal : new AbortController().signal;
      for (let tries = 1; ; tries += 1) {
        const outcome = await next(request).then(
          (answer) => ({ answer, error: null }),
          (error: unknown) => ({ answer: null, error }),
        );
        const { answer, error } = outcome;
        const waitMs = decideRetry({
          status: answer?.status ?? null,
          // A sign-in that was refused is no connection that failed.
          isOver: signal.aborted || isBackendError(error),
          retryAfter: answer?.headers.get('retry-after') ?? null,
          tries,
          now: now(),
        });
        if (waitMs !== null) await sleep(waitMs, signal);
        else if (answer !== null) return answer;
        else throw error instanceof Error ? error : new Error(String(error));
      }
    },
  };
}
