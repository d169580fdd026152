import { Agent, request } from 'node:http';
import type { Bench, Measurement } from '../bench.js';
import { cpuOf } from '../process-usage.js';
import { withWays, type Way } from '../proxy/ways.js';
import { median } from '../spread.js';

const CONNECTIONS = 32;

/** Small requests over connections that stay open, to the same replica through each way in turn. */
export const bench: Bench = {
  id: 'B9',
  title: 'Small requests to a service through the server, a gateway, nginx and a plain Node proxy',
  run: ({ quick }) =>
    withWays(async (ways) => {
      const rounds = quick ? 1 : 5;
      const requests = quick ? 500 : 10_000;
      const results = new Map(ways.map(({ name }) => [name, { perS: [] as number[], cpuUs: [] as number[] }]));
      for (const way of ways) await load(way, quick ? 100 : 3_000); // until everything is compiled
      for (let round = 0; round < rounds; round += 1) {
        for (const way of ways) {
          const { perS, cpuUs } = await load(way, requests);
          results.get(way.name)?.perS.push(perS);
          results.get(way.name)?.cpuUs.push(cpuUs);
        }
      }
      return [...results].flatMap(([name, { perS, cpuUs }]) => measurementsOf(name, perS, cpuUs, results));
    }),
};

type Results = ReadonlyMap<Way['name'], { readonly perS: readonly number[]; readonly cpuUs: readonly number[] }>;

function measurementsOf(
  name: Way['name'],
  perS: readonly number[],
  cpuUs: readonly number[],
  all: Results,
): Measurement[] {
  const nginx = all.get('nginx');
  const isOurs = name === 'the server' || name === 'a gateway';
  return [
    { name: `${name}: requests`, value: median(perS), unit: 'per s' },
    {
      name: `${name}: CPU of a request`,
      value: median(cpuUs) / 1000,
      unit: 'ms CPU',
      ...(name === 'the server' ? { target: { atMost: 0.12 } } : {}),
    },
    ...(isOurs && nginx !== undefined
      ? [
          {
            name: `${name}: requests a second, of those of one nginx worker`,
            value: median(perS) / median(nginx.perS),
            unit: 'ratio' as const,
            target: { atLeast: 0.55 },
          },
        ]
      : []),
  ];
}

async function load(way: Way, count: number): Promise<{ perS: number; cpuUs: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const cpuBefore = cpuOfAll(way);
  const startedAt = performance.now();
  let left = count;
  const worker = async (): Promise<void> => {
    while (left-- > 0) await ask(way, agent);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  const cpuUs = ((cpuOfAll(way) - cpuBefore) * 1000) / count;
  agent.destroy();
  return { perS: count / seconds, cpuUs };
}

function cpuOfAll({ pids }: Way): number {
  return pids.reduce((sum, pid) => sum + cpuOf(pid).own, 0);
}

function ask({ port, prefix, headers }: Way, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, host: '127.0.0.1', path: `${prefix}/small`, headers }, (reply) => {
      if (reply.statusCode !== 200) reject(new Error(`status ${reply.statusCode}`));
      reply.once('end', resolve).resume();
    });
    sent.once('error', reject);
    sent.end();
  });
}
