export type { TestHost, TestHostOptions, TestNetwork } from './test-host.js';
