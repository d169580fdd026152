import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startTensorDockWorld } from './support/tensordock-world.js';

describeComputeOverAWire('tensordock', async () => {
  const world = await startTensorDockWorld();
  return {
    ...world,
    close: async () => {
      await world.close();
      expect(world.fake.violations).toEqual([]);
    },
  };
});
