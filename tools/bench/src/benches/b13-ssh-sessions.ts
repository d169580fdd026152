import { node } from '@dstack/e2e/programs';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Bench, Measurement } from '../bench.js';
import { cpuOf } from '../process-usage.js';
import { BenchSshd, hasSshd } from '../ssh/bench-sshd.js';
import type { HoldNews, HoldOrder } from '../ssh/hold-connections.js';

/** One process holds connections to a real sshd, all sessions of which are then killed at once. */
export const bench: Bench = {
  id: 'B13',
  title: 'A thousand SSH connections held by one process, and all of them broken at once',
  async run({ quick }) {
    if (!hasSshd) throw new Error('there is no sshd here');
    const sshd = await BenchSshd.start();
    // The built program, by its path: tests run this file from its source.
    const program = fileURLToPath(new URL('../../dist/ssh/hold-connections.js', import.meta.url));
    const holder = fork(program, { execPath: node, execArgv: ['--expose-gc'] });
    try {
      return await measure(holder, sshd, { count: quick ? 30 : 1_000, idleMs: quick ? 500 : 30_000 });
    } finally {
      holder.kill('SIGKILL');
      await sshd.remove();
    }
  },
};

interface Size {
  readonly count: number;
  readonly idleMs: number;
}

async function measure(holder: ChildProcess, sshd: BenchSshd, { count, idleMs }: Size): Promise<Measurement[]> {
  const pid = holder.pid ?? Number.NaN;
  const hold = (order: Omit<HoldOrder, 'target'>): void => {
    holder.send({ target: sshd.target, ...order } satisfies HoldOrder);
  };
  hold({ count: 1 });
  const first = await news(holder, 1);
  const opening = await taken(pid, sshd, async () => {
    hold({ count });
    return news(holder, count + 1);
  });
  const idle = await taken(pid, sshd, () => sleep(idleMs));
  const broken = news(holder, 0);
  await sshd.kill();
  await broken;
  const storm = await taken(pid, sshd, async () => {
    await sshd.listen();
    return news(holder, count + 1);
  });
  const perConnection = (residentBytes: number): number => (residentBytes - first.residentBytes) / 1024 / count;
  const sshdPerConnection = (cpuMs: number): NonNullable<Measurement['floor']> => ({
    what: "sshd's own",
    value: cpuMs / count,
  });
  return [
    {
      name: 'memory of a connection',
      value: perConnection(opening.result.residentBytes),
      unit: 'KB',
      target: { atMost: 100 },
    },
    { name: 'memory of a connection after the storm', value: perConnection(storm.result.residentBytes), unit: 'KB' },
    {
      name: 'CPU of connecting',
      value: opening.ownCpuMs / count,
      unit: 'ms CPU',
      floor: sshdPerConnection(opening.sshdCpuMs),
    },
    {
      name: 'CPU of holding them, a second',
      value: idle.ownCpuMs / (idle.ms / 1000),
      unit: 'ms CPU/s',
      floor: { what: "sshd's own", value: idle.sshdCpuMs / (idle.ms / 1000) },
    },
    {
      name: 'all broken at once, until all are back',
      value: storm.ms / 1000,
      unit: 's',
      floor: { what: "sshd's CPU alone, on all processors", value: storm.sshdCpuMs / 1000 / availableParallelism() },
      target: { atMost: 20 },
    },
    {
      name: 'CPU of connecting in that storm',
      value: storm.ownCpuMs / count,
      unit: 'ms CPU',
      floor: sshdPerConnection(storm.sshdCpuMs),
    },
  ];
}

/** Resolves when so many connections are open. */
async function news(holder: ChildProcess, open: number): Promise<HoldNews> {
  for (;;) {
    // The holder sends nothing else.
    const [told] = (await once(holder, 'message')) as [HoldNews];
    if (told.open === open) return told;
  }
}

interface Taken<T> {
  readonly result: T;
  readonly ms: number;
  readonly ownCpuMs: number;
  readonly sshdCpuMs: number;
}

async function taken<T>(pid: number, sshd: BenchSshd, work: () => Promise<T>): Promise<Taken<T>> {
  const before = { at: performance.now(), own: cpuOf(pid).own, sshd: sshd.cpuMs() };
  const result = await work();
  return {
    result,
    ms: performance.now() - before.at,
    ownCpuMs: cpuOf(pid).own - before.own,
    sshdCpuMs: sshd.cpuMs() - before.sshd,
  };
}
