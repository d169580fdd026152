export { OpenApiCheck } from './openapi-check.js';
