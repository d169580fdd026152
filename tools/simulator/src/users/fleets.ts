import type { SimulatedUser } from './simulated-user.js';

/** A fleet that somebody still has plans for. */
interface Plans {
  readonly name: string;
  open: number;
}

/** Gives two hosts of his own, changes his mind about them now and then, and takes them back when everything else is over. */
export function planHosts(user: SimulatedUser, withinMs: number): void {
  const { random, scope } = user;
  const hosts = [0, 1, 2].map((index) => `${scope.projectName}-host-${index}`);
  const plans = { name: 'own', open: 0 };
  const give = (atMs: number, names: readonly string[]): void => {
    const ssh_config = { user: 'u', ssh_key: { public: 'ssh-ed25519 AAAA', private: 'key' }, hosts: [...names] };
    planApply(user, plans, atMs, { ssh_config }, `with ${names.join(', ')}`);
  };
  give(random.between(0, withinMs / 2), hosts.slice(0, 2));
  for (let change = 0; change < 2; change += 1) {
    const wanted = hosts.filter(() => random.chance(0.6));
    give(random.between(withinMs / 2, withinMs), wanted.length > 0 ? wanted : hosts);
  }
  user.later(withinMs * 1.5, () => deleteFleet(user, plans));
}

/** A fleet that may have few machines; it stays. */
export function planLimitedFleet(user: SimulatedUser): void {
  const fleet = { nodes: '0..3', placement: 'cluster', backends: ['aws'], spot_policy: 'auto', idle_duration: 30 };
  planApply(user, { name: 'cloud', open: 0 }, 0, fleet, 'of at most 3 nodes');
}

/** Fleets of machines that nobody uses, made and deleted: what they ask of a cloud is create calls. */
export function planMachines(user: SimulatedUser, fleets: number, withinMs: number): void {
  const { random } = user;
  for (let index = 0; index < fleets; index += 1) {
    const plans = { name: `machines-${index}`, open: 0 };
    const nodes = random.whole(6, 10);
    const fleet = { idle_duration: 60, nodes: `${nodes}..${nodes}`, spot_policy: 'auto' };
    planApply(user, plans, random.between(0, withinMs / 2), fleet, `of ${nodes} nodes`);
    user.later(withinMs, () => deleteFleet(user, plans));
  }
}

/** A fleet that keeps machines ready, and grows and shrinks. */
export function planReadyFleet(user: SimulatedUser, withinMs: number): void {
  const { random } = user;
  const plans = { name: 'ready', open: 0 };
  const keep = (atMs: number, min: number): void => {
    const max = min + random.whole(0, 2);
    const spot_policy = random.pick(['auto', 'auto', 'spot', 'on-demand']);
    const fleet = { placement: 'cluster', idle_duration: 60, nodes: `${min}..${max}`, spot_policy };
    planApply(user, plans, atMs, fleet, `of ${min} to ${max} nodes`);
  };
  keep(random.between(0, withinMs / 2), random.whole(1, 2));
  for (let change = 0; change < 2; change += 1) keep(random.between(withinMs / 2, withinMs), random.whole(0, 3));
  if (random.chance(0.5))
    user.later(random.between(withinMs / 2, withinMs), () =>
      user.ask('delete instance 0 of ready', ({ fleets }) =>
        fleets.deleteInstances(user.scope, { name: 'ready', instance_nums: [0] }),
      ),
    );
  user.later(withinMs * 1.5, () => deleteFleet(user, plans));
}

function planApply(user: SimulatedUser, plans: Plans, atMs: number, fleet: object, how: string): void {
  plans.open += 1;
  user.later(atMs, () => applyFleet(user, plans, fleet, how));
}

function applyFleet(user: SimulatedUser, plans: Plans, fleet: object, how: string): void {
  const { name } = plans;
  const spec = { configuration: { type: 'fleet', name, ...fleet }, profile: { name: 'default' } };
  const force = user.random.chance(0.5);
  user.ask(
    `apply fleet ${name} ${how}${force ? ' by force' : ''}`,
    async ({ fleets }) => {
      const current = await fleets.get(user.scope, { name }).catch(() => null);
      // The client sends what somebody has written; the server parses it.
      const request = { plan: { spec, current_resource: current }, force };
      await fleets.apply(user.scope, request as unknown as Parameters<typeof fleets.apply>[1]);
    },
    () => (plans.open -= 1),
  );
}

/** As often as it takes: a fleet in use stays, and one that was deleted may be made again by who has waited. */
function deleteFleet(user: SimulatedUser, plans: Plans): void {
  user.ask(
    `delete fleet ${plans.name}`,
    ({ fleets }) => fleets.delete(user.scope, { names: [plans.name] }),
    (refusal) => {
      const isGone = refusal?.includes('not found') === true;
      if (!isGone || plans.open > 0 || user.underWay > 1) user.later(30_000, () => deleteFleet(user, plans));
    },
  );
}
