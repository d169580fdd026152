import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startLambdaWorld } from './support/lambda-world.js';

describeComputeOverAWire('lambda', async () => {
  const world = await startLambdaWorld();
  return {
    ...world,
    close: async () => {
      await world.close();
      expect(world.fake.violations).toEqual([]);
    },
  };
});
