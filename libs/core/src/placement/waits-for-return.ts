import type { Instant } from '../lifecycle/decision.js';
import { placeGroups } from './place-groups.js';
import type { PlacementGroup, PlacementInput, PlacementInstance } from './placement-input.js';

/**
 * Whether jobs that nothing can take now would have their place on machines that were lost a moment ago, or are not connected yet since the
 * server started. Running jobs are not given up for a short loss; those that come meanwhile need not be either.
 * @param patienceMs how long after its loss a machine is expected back
 */
export function waitsForReturn(
  group: PlacementGroup,
  scene: Omit<PlacementInput, 'groups'>,
  { now, patienceMs }: { readonly now: Instant; readonly patienceMs: number },
): boolean {
  const isExpected = ({ unreachable, unreachableSince }: PlacementInstance): boolean =>
    unreachable && (unreachableSince === null || now - unreachableSince < patienceMs);
  if (!scene.instances.some(isExpected)) return false;
  const instances = scene.instances.map((each) => (isExpected(each) ? { ...each, unreachable: false } : each));
  return placeGroups({ ...scene, instances, groups: [group] })[0]?.kind === 'placed';
}
