import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { repositoryRoot, serverProgram } from '@dstack/e2e/programs';
import type { Bench, Measurement } from '../bench.js';
import { cpuOf, residentKb } from '../process-usage.js';
import { startReady } from '../programs/ready-process.js';
import { median } from '../spread.js';

const emptyServer = join(repositoryRoot, 'tools/bench/dist/programs/empty-server.js');

/** A new directory each time: what the server does on the very first start (schema, keys, first user) is in its figures. */
export const bench: Bench = {
  id: 'B12',
  title: 'Server start in an empty directory, and memory when idle, beside an empty Nest on Fastify with TypeORM',
  async run({ quick }) {
    const work = mkdtempSync(join(tmpdir(), 'dstack-bench-'));
    const starts = { server: new Starts(), empty: new Starts() };
    const rounds = quick ? 1 : 10;
    const restMs = quick ? 100 : 5_000;
    try {
      for (let round = 0; round < rounds; round += 1) {
        const directory = join(work, String(round));
        const env = { PATH: process.env.PATH, HOME: work, DSTACK_SERVER_DIR: directory };
        const isLast = round === rounds - 1;
        await starts.empty.measure([emptyServer, join(work, `${round}.db`)], env, isLast ? restMs : 0);
        const args = [serverProgram, '--host', '127.0.0.1', '--port', '0'];
        await starts.server.measure(args, env, isLast ? restMs : 0);
        await starts.server.measureAgain(args, env);
      }
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
    return measurements(starts.server, starts.empty);
  },
};

class Starts {
  readonly wallMs: number[] = [];
  readonly againMs: number[] = [];
  readonly cpuMs: number[] = [];
  idleMb = Number.NaN;

  async measure(args: readonly string[], env: NodeJS.ProcessEnv, restMs: number): Promise<void> {
    const startedAt = performance.now();
    const { pid, end } = await startReady(args, env);
    this.wallMs.push(performance.now() - startedAt);
    this.cpuMs.push(cpuOf(pid).own);
    if (restMs > 0) {
      await sleep(restMs);
      this.idleMb = residentKb(pid) / 1024;
    }
    await end();
  }

  /** In the directory of the time before. */
  async measureAgain(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
    const startedAt = performance.now();
    const { end } = await startReady(args, env);
    this.againMs.push(performance.now() - startedAt);
    await end();
  }
}

function measurements(server: Starts, empty: Starts): Measurement[] {
  const floor = (values: readonly number[]) => ({ what: 'empty Nest', value: median(values) });
  return [
    { name: 'CPU of the first start', value: median(server.cpuMs), unit: 'ms CPU', floor: floor(empty.cpuMs) },
    { name: 'first start', value: median(server.wallMs), unit: 'ms', floor: floor(empty.wallMs) },
    {
      name: 'first start, times an empty Nest',
      value: median(server.wallMs) / median(empty.wallMs),
      unit: 'ratio',
      target: { atMost: 1.6 },
    },
    { name: 'later start', value: median(server.againMs), unit: 'ms', floor: floor(empty.wallMs) },
    {
      name: 'idle memory',
      value: server.idleMb,
      unit: 'MB',
      floor: { what: 'empty Nest', value: empty.idleMb },
      target: { atMost: 230 },
    },
  ];
}
