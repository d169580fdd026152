export { type Authority, type AuthorityOptions, type Eab, hasAuthority, startAuthority } from './authority.js';
export { canHaveTestHosts, whyNoTestHosts } from './can-have-test-hosts.js';
export { createTestNetwork } from './create-test-network.js';
export type { TestHost, TestHostOptions, TestNetwork } from './test-host.js';
