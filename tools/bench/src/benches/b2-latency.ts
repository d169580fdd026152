import { execFileSync } from 'node:child_process';
import { canRunContainers, TEST_IMAGE } from '@dstack/e2e/programs';
import { Stack } from '@dstack/e2e/stack';
import type { Bench, Measurement } from '../bench.js';
import { residentKb } from '../process-usage.js';
import { median, quantile } from '../spread.js';
import { newDatabase } from '../stand-in/bench-database.js';
import { ReplicaProcess } from '../stand-in/replica-process.js';
import { runLoad } from '../stand-in/run-load.js';
import { firstLineMs, submittedToRunningMs } from '../stories/submit-and-wait.js';

/** One run at a time, each on a machine of its own: of the stand-in cloud, or a share of this one, whose agent starts with the run. */
export const bench: Bench = {
  id: 'B2',
  title: 'One run from submit to running: with a stand-in cloud and agents; for real, as a process and in a container',
  async run({ quick, say }) {
    return [
      ...(await withStandIns('sqlite', quick ? 5 : 100, 50, say)),
      ...(await withStandIns('postgres', quick ? 3 : 40, null, say)),
      ...(await forReal(quick ? 2 : 8, say)),
    ];
  },
};

async function withStandIns(
  dialect: 'sqlite' | 'postgres',
  rounds: number,
  atMost: number | null,
  say: (text: string) => void,
): Promise<Measurement[]> {
  const database = await newDatabase(dialect);
  if (database === undefined) return [];
  const replica = await ReplicaProcess.start({ database: database.location });
  try {
    await runLoad([replica], { count: 1, prefix: 'first' }, say);
    const bare = await replica.order({ do: 'bare', count: 100, atOnce: 1 });
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1)
      times.push((await runLoad([replica], { count: 1, prefix: `run-${round}` }, say)).elapsedMs);
    return spread(
      `stand-ins, ${dialect}`,
      times,
      { what: 'one insert and one update', value: bare.elapsedMs / 100 },
      atMost,
    );
  } finally {
    await replica.end();
    await database.remove();
  }
}

async function forReal(rounds: number, say: (text: string) => void): Promise<Measurement[]> {
  const stack = new Stack();
  try {
    await stack.start();
    const asProcess = await real(stack, 'process', {}, rounds, { what: 'start of a process', program: ['true'] });
    if (canRunContainers()) {
      const bare = { what: 'docker run', program: ['docker', 'run', '--rm', TEST_IMAGE, 'true'] };
      return [...asProcess, ...(await real(stack, 'container', { image: TEST_IMAGE }, rounds, bare, 1_000))];
    }
    say('no Docker, no test image or no agent folder: containers are left out');
    return asProcess;
  } finally {
    await stack.close();
  }
}

interface Bare {
  readonly what: string;
  readonly program: readonly string[];
}

async function real(
  stack: Stack,
  kind: 'process' | 'container',
  image: { readonly image?: string },
  rounds: number,
  bare: Bare,
  atMost: number | null = null,
): Promise<Measurement[]> {
  const resources = { cpu: '1..', memory: '64MB..', disk: '1GB..' };
  const sleeper = { commands: ['sleep 600'], resources, ...image };
  const speaker = { commands: ['echo first-line'], resources, ...image };
  let agentKb = Number.NaN;
  const first = await submittedToRunningMs(stack, `${kind}-first`, sleeper, () => {
    agentKb = Math.max(...stack.agentPids().map(residentKb));
  });
  const times: number[] = [];
  const lines: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    times.push(await submittedToRunningMs(stack, `${kind}-${round}`, sleeper));
    lines.push(await firstLineMs(stack, `${kind}-line-${round}`, speaker));
  }
  const floor = { what: bare.what, value: median(times.map(() => runMs(bare.program))) };
  return [
    { name: `as a ${kind}, first on this server`, value: first, unit: 'ms' },
    { name: `as a ${kind}: memory of the agent`, value: agentKb / 1024, unit: 'MB' },
    ...spread(`as a ${kind}`, times, floor, atMost),
    { name: `as a ${kind}: \`dstack apply\` until its first line, p50`, value: median(lines), unit: 'ms' },
  ];
}

function runMs([program = '', ...args]: readonly string[]): number {
  const startedAt = performance.now();
  execFileSync(program, args, { stdio: 'ignore' });
  return performance.now() - startedAt;
}

function spread(
  name: string,
  times: readonly number[],
  floor: Measurement['floor'],
  atMost: number | null,
): Measurement[] {
  const target = atMost === null ? {} : { target: { atMost } };
  return [
    { name: `${name}, p50`, value: median(times), unit: 'ms', ...(floor === undefined ? {} : { floor }), ...target },
    { name: `${name}, p99`, value: quantile(times, 0.99), unit: 'ms' },
  ];
}
