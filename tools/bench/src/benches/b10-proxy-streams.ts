import { Agent, type ClientRequest, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../bench.js';
import { residentKb } from '../process-usage.js';
import { withWays, type Way } from '../proxy/ways.js';
import { quantile } from '../spread.js';

/** Streams of events that stay open, each with ten events a second: how much later than from the replica itself do they come? */
export const bench: Bench = {
  id: 'B10',
  title: 'A thousand event streams of a service through the server, a gateway, nginx and a plain Node proxy',
  run: ({ quick }) =>
    withWays(async (ways) => {
      const streams = quick ? 20 : 1_000;
      const measured = new Map<Way['name'], { p50: number; p99: number; kb: number }>();
      for (const way of ways) measured.set(way.name, await listen(way, streams, quick ? 500 : 5_000));
      const floor = measured.get('the replica itself');
      return [...measured].flatMap(([name, { p50, p99, kb }]) => [
        { name: `${name}: an event is late by, p50`, value: p50, unit: 'ms' as const },
        { name: `${name}: an event is late by, p99`, value: p99, unit: 'ms' as const },
        { name: `${name}: memory of a stream`, value: kb, unit: 'KB' as const },
        ...((name === 'the server' || name === 'a gateway') && floor !== undefined
          ? [{ name: `${name} adds at p99`, value: p99 - floor.p99, unit: 'ms' as const, target: { atMost: 2 } }]
          : []),
      ]);
    }),
};

function memoryOf({ pids }: Way): number {
  return pids.reduce((sum, pid) => sum + residentKb(pid), 0);
}

async function listen(way: Way, count: number, forMs: number): Promise<{ p50: number; p99: number; kb: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: count });
  const late: number[] = [];
  let isMeasured = false;
  const before = memoryOf(way);
  const open: ClientRequest[] = [];
  for (let index = 0; index < count; index += 1) {
    const sent = request({
      agent,
      port: way.port,
      host: '127.0.0.1',
      path: `${way.prefix}/events`,
      headers: way.headers,
    });
    sent.once('response', (reply) => {
      reply.setEncoding('utf8');
      reply.on('data', (text: string) => {
        const now = performance.timeOrigin + performance.now();
        if (!isMeasured) return;
        for (const [, at] of text.matchAll(/data: ([\d.]+)/g)) late.push(now - Number(at));
      });
      reply.on('error', () => undefined);
    });
    sent.on('error', () => undefined);
    sent.end();
    open.push(sent);
    // Spread over a beat, so that not all events come at the same moment.
    if (index % 10 === 9) await sleep(1);
  }
  await sleep(1_000);
  isMeasured = true;
  await sleep(forMs);
  const kb = (memoryOf(way) - before) / count;
  for (const sent of open) sent.destroy();
  agent.destroy();
  return { p50: quantile(late, 0.5), p99: quantile(late, 0.99), kb };
}
