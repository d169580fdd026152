export { type RefusedReply, RestClient, type RestOptions, type RestRequest } from './rest-client.js';
