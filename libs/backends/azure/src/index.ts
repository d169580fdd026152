export { type AzureConfig, azureDefinition } from './definition.js';
