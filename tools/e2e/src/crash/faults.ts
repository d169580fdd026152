import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashWorld } from './crash-world.js';
import type { RandomSource } from '@dstack/simulator/random-source';

export interface CrashFault {
  readonly name: string;
  /** Strikes only once all runs print: what starts meanwhile may fail. */
  readonly isForRunning?: true;
  readonly appliesTo: (world: CrashWorld) => boolean;
  readonly strike: (world: CrashWorld, random: RandomSource) => Promise<void>;
}

const always = (): boolean => true;
const hasPostgres = (world: CrashWorld): boolean => world.postgres !== undefined;
/** Longer than the leases of work and of connections. */
const LONG_PAUSE_MS = 18_000;

/** Everything is back when `strike` returns. */
export const CRASH_FAULTS: readonly CrashFault[] = [
  { name: 'server killed', appliesTo: always, strike: killServer },
  {
    name: 'server killed twice, the second time while it starts',
    appliesTo: always,
    strike: async (world, random) => {
      await killServer(world, random);
      await sleep(random.whole(0, 400));
      await killServer(world, random);
    },
  },
  {
    name: 'server paused',
    appliesTo: always,
    strike: (world, random) => pauseServer(world, random, random.whole(200, 3_000)),
  },
  {
    name: 'server paused for longer than its leases',
    appliesTo: always,
    strike: (world, random) => pauseServer(world, random, LONG_PAUSE_MS),
  },
  { name: 'agent killed', appliesTo: always, strike: (world) => world.signalAgents('SIGKILL') },
  {
    name: 'agent paused',
    appliesTo: always,
    strike: async (world, random) => {
      await world.signalAgents('SIGSTOP');
      await sleep(random.whole(500, 6_000));
      await world.signalAgents('SIGCONT');
    },
  },
  {
    name: 'server and agent killed',
    appliesTo: always,
    strike: async (world, random) => {
      await world.signalAgents('SIGKILL');
      await killServer(world, random);
    },
  },
  {
    name: 'all servers killed',
    appliesTo: (world) => world.servers.length > 1,
    strike: async ({ servers }) => {
      await Promise.all(servers.map((server) => server.killServer()));
      await Promise.all(servers.map((server) => server.start()));
    },
  },
  {
    name: 'disk full',
    isForRunning: true,
    appliesTo: ({ disk }) => disk !== undefined,
    strike: async ({ disk }, random) => {
      disk?.fill();
      await sleep(random.whole(500, 5_000));
      disk?.free();
    },
  },
  {
    name: 'disk of the database read-only until somebody repairs it',
    appliesTo: ({ databaseDisk }) => databaseDisk !== undefined,
    strike: async ({ databaseDisk, servers: [server] }, random) => {
      databaseDisk?.becomeReadOnly();
      await sleep(random.whole(500, 5_000));
      await server?.killServer();
      databaseDisk?.repair();
      await server?.start();
    },
  },
  {
    name: 'a replica cut off from Postgres for longer than its leases',
    appliesTo: ({ wayToPostgres }) => wayToPostgres !== undefined,
    strike: async ({ wayToPostgres }) => {
      wayToPostgres?.break();
      await sleep(LONG_PAUSE_MS);
      wayToPostgres?.mend();
    },
  },
  { name: 'Postgres restarted', appliesTo: hasPostgres, strike: async ({ postgres }) => postgres?.restart('fast') },
  { name: 'Postgres crashed', appliesTo: hasPostgres, strike: async ({ postgres }) => postgres?.restart('immediate') },
];

async function killServer({ servers }: CrashWorld, random: RandomSource): Promise<void> {
  const server = random.pick(servers);
  await server.killServer();
  await sleep(random.whole(0, 1_500));
  await server.start();
}

async function pauseServer({ servers }: CrashWorld, random: RandomSource, milliseconds: number): Promise<void> {
  const server = random.pick(servers);
  server.signalServer('SIGSTOP');
  await sleep(milliseconds);
  server.signalServer('SIGCONT');
}
