import type { SimulatedCloud } from '../clouds/simulated-cloud.js';
import { configureEverywhere } from './backends.js';
import { planMachines } from './fleets.js';
import type { SimulatedUser } from './simulated-user.js';
import { planTasks } from './tasks.js';

const FLEETS = 12;
const TASKS = 2;
const WITHIN_MS = 300_000;
/** When no call can be under way any more, however late it is. */
const LATEST_MS = 3_000_000;

/** Users who want many machines of few clouds, and wait until everything that they asked for has arrived. */
export function planCreates(users: readonly SimulatedUser[], clouds: readonly SimulatedCloud[]): void {
  for (const user of users) {
    for (const cloud of clouds) configureEverywhere(user, cloud);
    planMachines(user, FLEETS, WITHIN_MS);
    planTasks(user, TASKS, WITHIN_MS);
    user.later(LATEST_MS, () => undefined);
  }
}
