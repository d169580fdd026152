export { type DiscoveredCall, DiscoveryCheck } from './discovery-check.js';
export { OpenApiCheck } from './openapi-check.js';
