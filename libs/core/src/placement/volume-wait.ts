import type { Explanation } from './explanation.js';

/** Of runs whose volumes are not there to be had: machines are not looked for before they are. */
export function waitsForVolumes(because: string): Explanation {
  return {
    obstacles: [{ kind: 'busy', about: null, because }],
    reliefs: [],
    fullFleetIds: [],
    thisMachineIsFull: false,
    isForVolumes: true,
  };
}
