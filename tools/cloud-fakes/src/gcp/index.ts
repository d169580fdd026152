export { GcpFake, type GcpFakeOptions } from './gcp-fake.js';
export type { FakeDisk, FakeGceInstance } from './gce-types.js';
export type { FakeNode } from './tpu.js';
