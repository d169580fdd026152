export { type VastaiConfig, vastaiDefinition } from './definition.js';
