export type { FakeCluster } from './clusters.js';
export { type FakePod, RunpodFake, type RunpodFakeOptions } from './runpod-fake.js';
