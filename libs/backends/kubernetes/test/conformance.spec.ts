import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startKubernetesWorld } from './support/kubernetes-world.js';

describeComputeOverAWire('kubernetes', async () => {
  const world = await startKubernetesWorld();
  return {
    ...world,
    close: async () => {
      await world.close();
      expect(world.fake.violations).toEqual([]);
    },
  };
});
