import type { InstanceTerminationReason } from '../wire/enums.js';
import type { Tenure } from './instance-snapshot.js';

/**
 * Whether a machine that has ended is still shown. A host that could not be used is, with its reason, until its fleet is applied again or
 * deleted.
 */
export function staysVisible({
  tenure,
  fleetIsGoing,
  reason,
}: {
  readonly tenure: Tenure;
  readonly fleetIsGoing: boolean;
  readonly reason: InstanceTerminationReason | null;
}): boolean {
  return tenure === 'given' && !fleetIsGoing && reason !== 'terminated_by_user';
}
