export { AwsFake, type AwsFakeOptions } from './aws-fake.js';
export type { FakeEc2Instance } from './ec2-region.js';
export type { FakeVolume } from './ec2-volumes.js';
