import { REGIONS } from '../clouds/cloud-offers.js';
import type { SimulatedCloud } from '../clouds/simulated-cloud.js';
import type { SimulatedUser } from './simulated-user.js';

/** Configures each cloud, and later changes its regions, removes it, and brings it back. */
export function planBackends(
  users: readonly SimulatedUser[],
  clouds: readonly SimulatedCloud[],
  withinMs: number,
): void {
  for (const user of users) for (const cloud of clouds) planBackend(user, cloud, withinMs);
  const [user] = users;
  const [cloud] = clouds;
  if (user !== undefined && cloud !== undefined && user.random.chance(0.15))
    user.later(user.random.between(0, withinMs), () => replaceKey(users, cloud));
}

export function configureEverywhere(user: SimulatedUser, cloud: SimulatedCloud): void {
  configure(user, cloud, REGIONS);
}

function planBackend(user: SimulatedUser, cloud: SimulatedCloud, withinMs: number): void {
  const { random, scope } = user;
  configureEverywhere(user, cloud);
  if (random.chance(0.3))
    user.later(random.between(0, withinMs), () => configure(user, cloud, random.pick([['north'], ['south', 'east']])));
  if (!random.chance(0.3)) return;
  user.later(random.between(0, withinMs), () => {
    user.ask(`remove ${cloud.type}`, ({ backends }) => backends.delete(scope, [cloud.type]));
    user.later(random.between(10_000, 60_000), () => configure(user, cloud, REGIONS));
  });
}

/** The old one is worth nothing at once; it takes a while until every project has the new one. */
function replaceKey(users: readonly SimulatedUser[], cloud: SimulatedCloud): void {
  cloud.renewKey();
  for (const user of users) user.later(user.random.between(5_000, 90_000), () => configure(user, cloud, REGIONS));
}

function configure(user: SimulatedUser, cloud: SimulatedCloud, regions: readonly string[]): void {
  user.ask(`configure ${cloud.type} in ${regions.join(', ')}`, async ({ backends }) => {
    const { key } = cloud;
    const config = { type: cloud.type, regions, creds: { key } };
    await backends.update(user.scope, config).catch((error: unknown) => {
      if (!String(error).includes('is not configured')) throw error;
      return backends.create(user.scope, config);
    });
    // It took so long that it may have put an old key in the place of a new one.
    if (key !== cloud.key) user.later(0, () => configure(user, cloud, regions));
  });
}
