import type * as Wire from '../wire/generated/api.js';

/**
 * Why a run that is understood and planned cannot be run by this version; null when it can. Refusing it beats running it without the
 * endpoint it was written for.
 */
export function whyNotBuilt(configuration: Wire.RunSpec['configuration']): string | null {
  if (configuration.type === 'service') {
    return 'Services are not built yet: this server can plan them but gives no endpoint. Run the commands as a task with ports for now';
  }
  return null;
}
