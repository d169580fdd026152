import type { SimulatedCloud } from '../clouds/simulated-cloud.js';
import { serveThrough } from './services.js';
import type { SimulatedUser } from './simulated-user.js';

/** What its owner has in mind. */
interface Plans {
  /** Requests that may still make it. */
  open: number;
  isLeaving: boolean;
}

type Written = Readonly<Record<string, unknown>>;

const DELETED_MS = 400_000;
const AGAIN_MS = 30_000;
const CHANGES_UNTIL_MS = 300_000;
const SERVICES = 2;

/** Makes gateways, on rented machines or on a host of his own, publishes services through them, changes and deletes them. */
export function planGateways(user: SimulatedUser, clouds: readonly SimulatedCloud[], count: number): void {
  const [cloud] = clouds;
  if (cloud === undefined) return;
  for (let index = 0; index < count; index += 1) planGateway(user, cloud, `gateway-${index}`);
}

function planGateway(user: SimulatedUser, cloud: SimulatedCloud, name: string): void {
  const { random, scope } = user;
  const plans: Plans = { open: 1, isLeaving: false };
  const isOwn = random.chance(0.4);
  const gateway: Written = {
    type: 'gateway',
    name,
    domain: `${scope.projectName}.example`,
    certificate: null,
    ...(isOwn
      ? onHost(`${scope.projectName}-${name}`)
      : { backend: cloud.type, region: 'north', replicas: random.whole(1, 2) }),
  };
  user.later(random.between(0, 30_000), () => {
    plans.open -= 1;
    make(user, plans, gateway);
    lookAfter(user, plans, gateway);
  });
  for (let service = 0; service < SERVICES; service += 1)
    user.later(random.between(0, 60_000), () =>
      serveThrough(user, random.chance(0.5) ? name : true, `${name}-service-${service}`),
    );
  if (!isOwn && random.chance(0.6))
    user.later(random.between(60_000, CHANGES_UNTIL_MS), () =>
      make(user, plans, { ...gateway, replicas: random.whole(1, 3) }),
    );
  // Now and then while it serves.
  const isEarly = random.chance(0.2);
  user.later(isEarly ? random.between(60_000, DELETED_MS) : DELETED_MS, () => remove(user, plans, name, isEarly));
}

/** One that has failed is made anew under its name. */
function lookAfter(user: SimulatedUser, plans: Plans, gateway: Written): void {
  const name = String(gateway.name);
  user.later(AGAIN_MS, () => {
    if (plans.isLeaving) return;
    user.ask(
      `look at ${name}`,
      async ({ gateways }) => {
        const { status } = await gateways.get(user.scope, { name });
        if (status === 'failed') await gateways.delete(user.scope, { names: [name] }, true);
      },
      (refusal) => {
        if (refusal?.includes('not found') === true) make(user, plans, gateway);
      },
    );
    lookAfter(user, plans, gateway);
  });
}

function onHost(host: string): Written {
  return {
    backend: 'ssh',
    ssh_config: { user: 'root', ssh_key: { public: 'simulated', private: 'simulated' }, hosts: [host] },
  };
}

/** Or changes it; not when it is on its way out. */
function make(user: SimulatedUser, plans: Plans, configuration: Written): void {
  if (plans.isLeaving) return;
  plans.open += 1;
  user.ask(
    `apply ${String(configuration.name)}`,
    // The client sends what somebody has written; the server parses it.
    ({ gateways }) =>
      gateways.apply(user.scope, {
        plan: { spec: { configuration }, current_resource: null },
        force: true,
      } as unknown as Parameters<typeof gateways.apply>[1]),
    () => (plans.open -= 1),
  );
}

/** As often as it takes: one that serves stays unless it is forced, and one that is being deleted is there until the cloud has none of it. */
function remove(user: SimulatedUser, plans: Plans, name: string, isForced: boolean): void {
  plans.isLeaving = true;
  user.ask(
    `delete ${name}`,
    ({ gateways }) => gateways.delete(user.scope, { names: [name] }, isForced),
    (refusal) => {
      const isGone = refusal?.includes('not found') === true;
      if (!isGone || plans.open > 0) user.later(AGAIN_MS, () => remove(user, plans, name, isForced));
    },
  );
}
