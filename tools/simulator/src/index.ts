export { CREATE_FAULTS, FAULTS, type Faults, NO_FAULTS } from './faults.js';
export { simulate, type SimulationOptions, type SimulationResult } from './simulate.js';
export { usualStory, type UsualStory } from './usual-story.js';
