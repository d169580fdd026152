export { CREATE_FAULTS, FAULTS, type Faults, NO_FAULTS } from './faults.js';
export { simulate } from './simulate.js';
export type { SimulationOptions, SimulationResult } from './simulation-options.js';
export { usualStory, type UsualStory } from './usual-story.js';
