export { environmentAgent } from './environment-agent.js';
export { fetchByEnvironment } from './fetch-by-environment.js';
export { proxyOf } from './proxy-of.js';
export { publicFetch } from './public-fetch.js';
