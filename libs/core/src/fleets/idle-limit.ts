import type { InternalBackendType } from '../wire/internal-values.js';
import type * as Wire from '../wire/generated/api.js';

/** How long an instance may idle before it is given up; null: for ever. */
export function idleLimitMs(
  instance: { readonly idleSeconds: number | null; readonly backendType: InternalBackendType | null },
  fleet: Pick<Wire.FleetSpec, 'autocreated'> | null,
): number | null {
  // A share of the server's own machine costs nothing to make again; kept, it would only keep jobs of another shape out.
  if (instance.backendType === 'local' && fleet?.autocreated === true) return 0;
  const { idleSeconds } = instance;
  return idleSeconds === null || idleSeconds < 0 ? null : idleSeconds * 1000;
}
