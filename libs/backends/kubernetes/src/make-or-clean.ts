import { type Call, isBackendError } from '@dstack/backend-base';
import type { KubernetesClient } from './client.js';
import { isMissing } from './errors.js';

export interface Making<T> {
  readonly make: () => Promise<T>;
  /** Takes back whatever of it was made. */
  readonly clean: () => Promise<unknown>;
}

/** In the namespace, which is made when it is not there. A create that was refused leaves nothing; one whose answer is missing may have arrived, and is repeated. */
export async function makeOrClean<T>(
  client: Pick<KubernetesClient, 'ensureNamespace'>,
  { make, clean }: Making<T>,
  call: Call,
): Promise<T> {
  try {
    return await make().catch(async (error: unknown) => {
      if (!isMissing(error)) throw error;
      await client.ensureNamespace(call);
      return make();
    });
  } catch (error) {
    if (isBackendError(error) && error.failure.kind !== 'outage') await clean();
    throw error;
  }
}
