import type { RandomSource } from '../random-source.js';
import type { SimulatedUser } from './simulated-user.js';
import { stop } from './tasks.js';

type Service = Readonly<Record<string, unknown>>;

const CHANGES_UNTIL_MS = 300_000;
const STOPPED_MS = [350_000, 600_000, 900_000] as const;
const AGAIN_MS = 15_000;
const REQUESTS_EVERY_MS = 3_000;
const REQUESTS_UNTIL_MS = 340_000;

/** Publishes services, asks them for things, changes them while they run, and stops them: they would go on for ever. */
export function planServices(user: SimulatedUser, count: number): void {
  for (let index = 0; index < count; index += 1)
    user.later(user.random.between(0, 20_000), () => publish(user, `service-${index}`));
}

/** Through a gateway that may not be there yet: asked for again until it is. */
export function serveThrough(user: SimulatedUser, gateway: string | true, name: string): void {
  const service = { ...drawService(name, user.random), gateway, https: false };
  const begin = (sinceMs: number): void =>
    apply(user, service, (refusal) => {
      if (refusal === null) goOn(user, name, service);
      else if (sinceMs < CHANGES_UNTIL_MS) user.later(AGAIN_MS, () => begin(sinceMs + AGAIN_MS));
    });
  begin(0);
}

function publish(user: SimulatedUser, name: string): void {
  const service = drawService(name, user.random);
  apply(user, service);
  goOn(user, name, service);
}

function goOn(user: SimulatedUser, name: string, service: Service): void {
  const { random } = user;
  for (let changes = random.whole(0, 3); changes > 0; changes -= 1)
    user.later(random.between(20_000, CHANGES_UNTIL_MS), () => apply(user, { ...service, ...drawChange(random) }));
  for (const at of STOPPED_MS) user.later(at, () => stop(user, name, false));
  askForThings(user, name, random.between(0, 60_000));
}

function drawService(name: string, random: RandomSource): Service {
  return {
    type: 'service',
    name,
    port: 8000,
    gateway: false,
    commands: ['serve'],
    resources: { cpu: '1..', memory: '1GB..', disk: null },
    idle_duration: 30,
    stop_duration: random.whole(1, 20),
    ...drawReplicas(random),
    ...(random.chance(0.5) ? { retry: { on_events: ['no-capacity', 'interruption', 'error'], duration: '4m' } } : {}),
    ...(random.chance(0.5) ? { probes: [{ type: 'http', interval: '5s', ready_after: random.whole(1, 3) }] } : {}),
  };
}

function drawReplicas(random: RandomSource): Service {
  if (random.chance(0.5)) return { replicas: random.whole(1, 3), scaling: null };
  const scaling = { metric: 'rps', target: 1, window: '30s', scale_up_delay: random.whole(0, 20), scale_down_delay: random.whole(0, 40) }; // prettier-ignore
  return { replicas: `${random.whole(0, 1)}..3`, scaling };
}

function drawChange(random: RandomSource): Service {
  if (random.chance(0.4)) return drawReplicas(random);
  return random.chance(0.5) ? { commands: ['serve', 'anew'] } : { env: { VERSION: String(random.whole(1, 9)) } };
}

function apply(user: SimulatedUser, service: Service, onEnd: (refusal: string | null) => void = () => undefined): void {
  const name = String(service.name);
  const key = user.random.uuid();
  const body = { plan: { run_spec: { run_name: name, configuration: service }, current_resource: null }, force: true };
  user.ask(`apply ${name}`, ({ runs }) => runs.apply(user.scope, body, key), onEnd);
}

/** As a proxy tells what it sees, every few seconds: bursts, quiet times, and requests that wait. */
function askForThings(user: SimulatedUser, name: string, sinceMs: number): void {
  if (sinceMs > REQUESTS_UNTIL_MS) return;
  const { random, scope } = user;
  const pauseMs = random.chance(0.2) ? random.between(20_000, 90_000) : REQUESTS_EVERY_MS;
  user.later(pauseMs, () => {
    const requests = random.chance(0.3) ? 0 : random.whole(0, 120);
    user.ask(`requests for ${name}`, async ({ runs, traffic }) => {
      const { id, jobs } = await runs.get(scope, { run_name: name });
      const live = jobs.flatMap((job) => job.job_submissions.slice(-1)).filter(({ status }) => status === 'running');
      const inFlight = Object.fromEntries(live.map((job) => [job.id, requests === 0 ? 0 : 1]));
      const groups = { '0': [{ seconds: 30, requests, meanMs: 10 }] };
      await traffic.report(id, 'proxy', { groups, inFlight, held: live.length === 0 && requests > 0 ? 1 : 0 });
    });
    askForThings(user, name, sinceMs + pauseMs);
  });
}
