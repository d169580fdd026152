export { localDefinition, type LocalConfig } from './definition.js';
