export { type AwsConfig, awsDefinition } from './definition.js';
