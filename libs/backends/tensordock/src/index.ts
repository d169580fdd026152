export { type TensorDockConfig, tensordockDefinition } from './definition.js';
