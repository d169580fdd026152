import { spawnSync } from 'node:child_process';
import { cliProgram, node } from '@dstack/e2e/programs';
import { Stack } from '@dstack/e2e/stack';
import type { Bench, Measurement } from '../bench.js';
import { cpuOf } from '../process-usage.js';
import { median } from '../spread.js';

/** In turn, so that all of them see the same machine. */
export const bench: Bench = {
  id: 'B11',
  title: 'CLI start: `dstack --version` and `dstack ps` beside a Node that does nothing',
  async run({ quick }) {
    const stack = new Stack();
    try {
      await stack.start();
      const env = { PATH: process.env.PATH, HOME: stack.home, DSTACK_SERVER_URL: stack.url, DSTACK_TOKEN: stack.token };
      const programs = {
        bare: ['-e', '0'],
        version: [cliProgram, '--version'],
        ps: [cliProgram, 'ps', '--project', 'main'],
      };
      const times = { bare: new Times(), version: new Times(), ps: new Times() };
      for (let round = 0; round < (quick ? 3 : 40); round += 1) {
        times.bare.add(timed(programs.bare, env));
        times.version.add(timed(programs.version, env));
        times.ps.add(timed(programs.ps, env));
      }
      return [...of('--version', times.version, times.bare, 1.5), ...of('ps', times.ps, times.bare, 3.5)];
    } finally {
      await stack.close();
    }
  },
};

interface Taken {
  readonly wallMs: number;
  readonly cpuMs: number;
}

class Times {
  readonly wall: number[] = [];
  cpu = 0;

  add({ wallMs, cpuMs }: Taken): void {
    this.wall.push(wallMs);
    this.cpu += cpuMs;
  }
}

function timed(args: readonly string[], env: NodeJS.ProcessEnv): Taken {
  const cpuBefore = cpuOf('self').children;
  const startedAt = performance.now();
  const { status, stderr } = spawnSync(node, args, { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
  const wallMs = performance.now() - startedAt;
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
  return { wallMs, cpuMs: cpuOf('self').children - cpuBefore };
}

function of(name: string, times: Times, bare: Times, atMost: number): Measurement[] {
  const wall = median(times.wall);
  const bareWall = median(bare.wall);
  return [
    {
      name: `${name}, CPU of a start`,
      value: times.cpu / times.wall.length,
      unit: 'ms CPU',
      floor: { what: 'bare Node', value: bare.cpu / bare.wall.length },
    },
    { name: `${name}, time`, value: wall, unit: 'ms', floor: { what: 'bare Node', value: bareWall } },
    { name: `${name}, times bare Node`, value: wall / bareWall, unit: 'ratio', target: { atMost } },
  ];
}
