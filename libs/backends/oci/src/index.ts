export { type OciConfig, ociDefinition } from './definition.js';
