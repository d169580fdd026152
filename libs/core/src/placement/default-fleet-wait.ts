import { DEFAULT_FLEET } from '../fleets/default-fleet.js';
import type { Explanation } from './explanation.js';

/** Of runs that need the default fleet while the one that was is still being deleted: its name is not free yet. */
export const DEFAULT_FLEET_IS_GOING: Explanation = {
  obstacles: [
    {
      kind: 'fleet',
      about: { noun: 'fleet', names: { first: [DEFAULT_FLEET], count: 1 } },
      because: 'is being deleted; a new one is made when it is gone',
    },
  ],
  reliefs: [],
  fullFleetIds: [],
  thisMachineIsFull: false,
};
