import type { SimulatedCloud } from '../clouds/simulated-cloud.js';
import { planBackends } from './backends.js';
import { planHosts, planLimitedFleet, planReadyFleet } from './fleets.js';
import type { SimulatedUser } from './simulated-user.js';
import { planTasks } from './tasks.js';

/** Within which users do what they have in mind, per task. */
const PACE_MS = 50_000;

/** What all users are going to do, each with as many tasks. */
export function planUsers(users: readonly SimulatedUser[], clouds: readonly SimulatedCloud[], tasks: number): void {
  const withinMs = PACE_MS * tasks;
  planBackends(users, clouds, withinMs);
  users.forEach((user, index) => {
    planTasks(user, tasks, withinMs);
    // The runs of the other project make a default fleet for themselves.
    if (index === 0) planLimitedFleet(user);
    if (user.random.chance(0.5)) planHosts(user, withinMs);
    if (user.random.chance(0.3)) planReadyFleet(user, withinMs);
  });
}
