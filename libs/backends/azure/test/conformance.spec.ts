import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startAzureWorld } from './support/azure-world.js';

describeComputeOverAWire('azure', async () => {
  const world = await startAzureWorld();
  return {
    ...world,
    close: async () => {
      await world.close();
      expect(world.fake.violations).toEqual([]);
    },
  };
});
