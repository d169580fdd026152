import { describeComputeOverAWire } from '@dstack/backend-base/conformance';
import { startGcpWorld } from './support/gcp-world.js';

for (const [name, type] of [
  ['gcp', 'e2-standard-2'],
  ['gcp with TPUs', 'v5litepod-8'],
] as const) {
  describeComputeOverAWire(name, async () => {
    const world = await startGcpWorld(type);
    return {
      ...world,
      close: async () => {
        await world.close();
        expect(world.fake.violations).toEqual([]);
      },
    };
  });
}
