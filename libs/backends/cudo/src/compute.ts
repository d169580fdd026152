import { BackendError, type BackendModule, type Compute } from '@dstack/backend-base';
import { type CudoConfig, CUDO_IS_CLOSED } from './definition.js';

/** Offers nothing and says why; machines of earlier days are gone with the cloud. */
const compute: Compute = {
  offers: () => Promise.reject(closed()),
  create: () => Promise.reject(closed()),
  get: () => Promise.resolve({ state: 'gone' }),
  list: () => Promise.resolve([]),
  terminate: () => Promise.resolve('done'),
};

export const cudoModule: BackendModule<CudoConfig> = {
  open: () => Promise.resolve(compute),
};

function closed(): BackendError {
  return new BackendError({ kind: 'rejected', blocks: 'account' }, CUDO_IS_CLOSED);
}
