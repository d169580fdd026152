import type { SimulatedCloud } from '../clouds/simulated-cloud.js';
import { RandomSource } from '../random-source.js';
import type { SimulationOptions } from '../simulation-options.js';
import { planGateways } from './gateways.js';
import { planCreates } from './plan-creates.js';
import { planUsers } from './plan-users.js';
import { planServices } from './services.js';
import { SimulatedUser, type UserTools } from './simulated-user.js';
import { planVolumes } from './volumes.js';

const DEFAULT_RUNS = 4;

/**
 * Who does what in each project. Those who publish services, keep volumes and have gateways draw from streams of their own: the stories
 * without them are told as before.
 */
export function planEverybody(
  { seed, creates, runs = DEFAULT_RUNS, services = 0, volumes = 0, gateways = 0 }: SimulationOptions,
  clouds: readonly SimulatedCloud[],
  scopes: readonly UserTools['scope'][],
  tools: Omit<UserTools, 'scope'>,
  /** With what happens outside. */
  shared: { readonly services: RandomSource; readonly gateways: RandomSource },
): SimulatedUser[] {
  const ofEach = (random: RandomSource): SimulatedUser[] =>
    scopes.map((scope) => new SimulatedUser({ ...tools, scope, random }));
  const users = ofEach(tools.random);
  if (creates === undefined) planUsers(users, clouds, runs);
  else planCreates(users, clouds);
  const owners = services === 0 ? [] : ofEach(shared.services);
  for (const owner of owners) planServices(owner, services);
  const keepers = ofEach(new RandomSource(seed + 3_000_003));
  for (const keeper of keepers) planVolumes(keeper, clouds, volumes);
  const publishers = gateways === 0 ? [] : ofEach(shared.gateways);
  for (const publisher of publishers) planGateways(publisher, clouds, gateways);
  return [...users, ...owners, ...keepers, ...publishers];
}
