import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startAwsWorld } from './support/aws-world.js';

describeComputeOverAWire('aws', async () => {
  const world = await startAwsWorld();
  return {
    ...world,
    close: async () => {
      await world.close();
      expect(world.fake.violations).toEqual([]);
    },
  };
});
