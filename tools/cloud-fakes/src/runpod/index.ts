export { type FakePod, RunpodFake, type RunpodFakeOptions } from './runpod-fake.js';
