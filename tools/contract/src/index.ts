export { difference, operationOf, operations, schemaProblem, withoutOurOwn } from './contract-check.js';
