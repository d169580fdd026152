export { type CudoConfig, CUDO_IS_CLOSED, cudoDefinition } from './definition.js';
