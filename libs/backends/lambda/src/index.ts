export { type LambdaConfig, lambdaDefinition } from './definition.js';
