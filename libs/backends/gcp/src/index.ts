export { type GcpConfig, gcpDefinition } from './definition.js';
