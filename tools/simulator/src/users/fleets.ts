import type { SimulatedUser } from './simulated-user.js';

type Configuration = Readonly<Record<string, unknown>> & { readonly name: string };

/** Gives two hosts of his own, changes his mind about them now and then, and takes them back when everything else is over. */
export function planHosts(user: SimulatedUser, withinMs: number): void {
  const { random, scope } = user;
  const hosts = [0, 1, 2].map((index) => `${scope.projectName}-host-${index}`);
  const give = (names: readonly string[]): void => {
    const ssh_config = { user: 'u', ssh_key: { public: 'ssh-ed25519 AAAA', private: 'key' }, hosts: [...names] };
    applyFleet(user, { type: 'fleet', name: 'own', ssh_config }, `with ${names.join(', ')}`);
  };
  user.later(random.between(0, withinMs / 2), () => give(hosts.slice(0, 2)));
  for (let change = 0; change < 2; change += 1) {
    const wanted = hosts.filter(() => random.chance(0.6));
    user.later(random.between(withinMs / 2, withinMs), () => give(wanted.length > 0 ? wanted : hosts));
  }
  user.later(withinMs * 1.5, () => deleteFleet(user, 'own'));
}

/** A fleet that may have few machines; it stays. */
export function planLimitedFleet(user: SimulatedUser): void {
  user.later(0, () =>
    applyFleet(user, { type: 'fleet', name: 'cloud', nodes: '0..3', placement: 'cluster', backends: ['aws'], idle_duration: 30 }), // prettier-ignore
  );
}

/** A fleet that keeps machines ready, and grows and shrinks. */
export function planReadyFleet(user: SimulatedUser, withinMs: number): void {
  const { random } = user;
  const keep = (min: number): void => {
    const max = min + random.whole(0, 2);
    const spot = random.chance(0.3) ? { spot_policy: 'spot' } : {};
    const base = { type: 'fleet', name: 'ready', placement: 'cluster', idle_duration: 60, ...spot };
    applyFleet(user, { ...base, nodes: `${min}..${max}` }, `of ${min} to ${max} nodes`);
  };
  user.later(random.between(0, withinMs / 2), () => keep(random.whole(1, 2)));
  for (let change = 0; change < 2; change += 1)
    user.later(random.between(withinMs / 2, withinMs), () => keep(random.whole(0, 3)));
  if (random.chance(0.5))
    user.later(random.between(withinMs / 2, withinMs), () =>
      user.ask('delete instance 0 of ready', ({ fleets }) =>
        fleets.deleteInstances(user.scope, { name: 'ready', instance_nums: [0] }),
      ),
    );
  user.later(withinMs * 1.5, () => deleteFleet(user, 'ready'));
}

function applyFleet(user: SimulatedUser, configuration: Configuration, how = ''): void {
  const { name } = configuration;
  const spec = { configuration, profile: { name: 'default' } };
  const force = user.random.chance(0.5);
  user.ask(`apply fleet ${name} ${how}${force ? ' by force' : ''}`, async ({ fleets }) => {
    const current = await fleets.get(user.scope, { name }).catch(() => null);
    // The client sends what somebody has written; the server parses it.
    const request = { plan: { spec, current_resource: current }, force };
    await fleets.apply(user.scope, request as unknown as Parameters<typeof fleets.apply>[1]);
  });
}

/** As often as it takes: a fleet in use stays. */
function deleteFleet(user: SimulatedUser, name: string): void {
  user.ask(
    `delete fleet ${name}`,
    ({ fleets }) => fleets.delete(user.scope, { names: [name] }),
    (refusal) => {
      if (!refusal.includes('not found')) user.later(30_000, () => deleteFleet(user, name));
    },
  );
}
