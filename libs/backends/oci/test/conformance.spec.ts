import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startOciWorld } from './support/oci-world.js';

describeComputeOverAWire('oci', async () => {
  const world = await startOciWorld();
  return {
    ...world,
    close: async () => {
      await world.close();
      expect(world.fake.violations).toEqual([]);
    },
  };
});
