import type { RandomSource } from '../random-source.js';

/** A task as somebody might write it. */
export function drawTask(name: string, random: RandomSource): Readonly<Record<string, unknown>> {
  const sometimes = (probability: number, fields: () => object): object => (random.chance(probability) ? fields() : {});
  return {
    type: 'task',
    name,
    commands: ['work'],
    resources: {
      cpu: random.chance(0.5) ? '1..' : '4..',
      memory: '1GB..',
      disk: null,
      ...sometimes(0.15, () => ({ gpu: 'A100:1' })),
    },
    idle_duration: 30,
    priority: random.whole(0, 2),
    ...sometimes(0.5, () => ({ image: 'ubuntu' })),
    ...sometimes(0.5, () => ({ retry: { on_events: ['no-capacity', 'interruption', 'error'], duration: '4m' } })),
    ...sometimes(0.25, () => ({
      nodes: random.whole(2, 3),
      ...sometimes(0.3, () => ({ stop_criteria: 'master-done' })),
      ...sometimes(0.3, () => ({ startup_order: random.pick(['master-first', 'workers-first']) })),
    })),
    ...sometimes(0.3, () => ({ max_duration: random.whole(10, 60) })),
    ...sometimes(0.3, () => ({ stop_duration: random.whole(1, 20) })),
    ...sometimes(0.6, () => ({ spot_policy: random.pick(['auto', 'auto', 'auto', 'spot', 'on-demand']) })),
    ...sometimes(0.1, () => ({ regions: [random.pick(['north', 'south'])] })),
    ...sometimes(0.1, () => ({ backends: ['aws'] })),
    ...sometimes(0.05, () => ({ creation_policy: 'reuse' })),
    // Nothing can hold it.
    ...sometimes(0.05, () => ({ resources: { cpu: '64..', memory: '1GB..', disk: null } })),
    ...sometimes(0.05, () => ({ schedule: { cron: '*/2 * * * *' } })),
  };
}
