export { decideRetry, type FailedTry, retryAfterMs } from './decide-retry.js';
export { type RefusedReply, RestClient, type RestOptions, type RestRequest } from './rest-client.js';
