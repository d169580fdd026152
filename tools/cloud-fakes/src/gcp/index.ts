export { GcpFake, type GcpFakeOptions } from './gcp-fake.js';
export { GoogleKey } from './google-key.js';
export { GoogleRefusal } from './google-refusal.js';
export type { FakeDisk, FakeGceInstance } from './gce-types.js';
export type { FakeNode } from './tpu.js';
