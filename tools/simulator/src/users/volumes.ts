import type { SimulatedCloud } from '../clouds/simulated-cloud.js';
import type { SimulatedUser } from './simulated-user.js';
import { apply, stop } from './tasks.js';

const TASKS = 2;
const DELETED_MS = 330_000;
const AGAIN_MS = 30_000;

/** Makes network volumes, runs tasks that mount them, one after the other and at the same time, and deletes them. */
export function planVolumes(user: SimulatedUser, clouds: readonly SimulatedCloud[], count: number): void {
  const [cloud] = clouds;
  if (cloud === undefined) return;
  for (let index = 0; index < count; index += 1) planVolume(user, cloud, `volume-${index}`);
}

function planVolume(user: SimulatedUser, cloud: SimulatedCloud, name: string): void {
  const { random } = user;
  const plans = { open: 1 };
  const configuration = {
    type: 'volume',
    name,
    backend: cloud.type,
    region: 'north',
    size: '10GB',
    ...(random.chance(0.5) ? { availability_zone: 'north-a' } : {}),
    ...(random.chance(0.2) ? { auto_cleanup_duration: '90s' } : {}),
  };
  user.later(random.between(0, 30_000), () =>
    user.ask(
      `make ${name}`,
      // The client sends what somebody has written; the server parses it.
      ({ volumes }) => volumes.create(user.scope, { configuration } as unknown as Parameters<typeof volumes.create>[1]),
      () => (plans.open -= 1),
    ),
  );
  for (let task = 0; task < TASKS; task += 1)
    user.later(random.between(5_000, 200_000), () => use(user, name, `${name}-task-${task}`));
  user.later(DELETED_MS, () => remove(user, plans, name));
}

function use(user: SimulatedUser, volume: string, name: string): void {
  const { random } = user;
  apply(user, {
    type: 'task',
    name,
    image: 'ubuntu',
    commands: ['work'],
    resources: { cpu: '1..', memory: '1GB..', disk: null },
    volumes: [`${volume}:/data`],
    idle_duration: 30,
    stop_duration: random.whole(1, 20),
    ...(random.chance(0.5) ? { spot_policy: 'auto' } : {}),
    ...(random.chance(0.7) ? { retry: { on_events: ['no-capacity', 'interruption', 'error'], duration: '4m' } } : {}),
  });
  if (random.chance(0.4)) user.later(random.between(0, 100_000), () => stop(user, name, random.chance(0.4)));
}

/** As often as it takes: one in use stays, and one that is being deleted is there until the cloud has none of it. */
function remove(user: SimulatedUser, plans: { readonly open: number }, name: string): void {
  user.ask(
    `delete ${name}`,
    ({ volumes }) => volumes.delete(user.scope, { names: [name] }),
    (refusal) => {
      const isGone = refusal?.includes('not found') === true;
      if (!isGone || plans.open > 0) user.later(AGAIN_MS, () => remove(user, plans, name));
    },
  );
}
