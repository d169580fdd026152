export { type RunpodConfig, runpodDefinition } from './definition.js';
