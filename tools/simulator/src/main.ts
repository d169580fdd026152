import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NO_FAULTS } from './faults.js';
import { inParallel } from './in-parallel.js';
import { DEFAULT_RUNS, simulate, type SimulationOptions, type SimulationResult } from './simulate.js';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    runs: { type: 'string', default: String(DEFAULT_RUNS) },
    'every-point': { type: 'boolean', default: false },
    'crash-at': { type: 'string' },
    trace: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    worker: { type: 'boolean', default: false },
  },
});

if (values.worker) serve();
else await tellAll();

function serve(): void {
  process.on('message', (options: SimulationOptions) => {
    simulate(options).then(
      (result) => process.send?.(values.trace ? result : { ...result, story: [] }),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}

async function tellAll(): Promise<void> {
  const startedAt = performance.now();
  const stories = await plan();
  const count = stories.length;
  const results = values.trace || count === 1 ? await inTurn(stories) : await atOnce(stories);
  const seconds = (performance.now() - startedAt) / 1000;
  const failed = results.filter(({ violations }) => violations.length > 0);
  if (values.trace) for (const { story } of results) console.log(story.join('\n'));
  if (!values.json || values.trace) {
    stories.forEach((options, index) => {
      const { violations } = results[index] ?? { violations: [] };
      if (violations.length > 0) report(options, violations);
    });
  }
  const summary = { seeds: count, violations: failed.length };
  const sum = (of: (result: SimulationResult) => number): number =>
    results.reduce((total, each) => total + of(each), 0);
  const totals = {
    simulatedSeconds: Math.round(sum(({ simulatedMs }) => simulatedMs) / 1000),
    crashes: sum(({ crashes }) => crashes),
    runs: sum(({ runs }) => runs),
    machines: sum(({ machines }) => machines),
    transactions: sum(({ commits }) => commits),
    seconds: Math.round(seconds * 10) / 10,
  };
  if (values.json) {
    console.log(JSON.stringify({ ...summary, ...totals, failedSeeds: failed.map(({ seed }) => seed) }));
  } else {
    console.log(
      `${count} stories, ${totals.simulatedSeconds} simulated seconds in ${totals.seconds} s: ${totals.runs} runs, ` +
        `${totals.machines} machines, ${totals.crashes} server crashes, ${totals.transactions} transactions`,
    );
    console.log(JSON.stringify(summary));
  }
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** One story per seed; or one seed once for every point where a crash of the server leaves something else behind, with no other fault. */
async function plan(): Promise<SimulationOptions[]> {
  const seed = Number(values.seed ?? values.from);
  const runs = Number(values.runs);
  const crashAt = values['crash-at'];
  if (crashAt !== undefined) return [{ seed, runs, faults: NO_FAULTS, crashAt: Number(crashAt) }];
  if (values['every-point']) {
    const { crashPoints } = await simulate({ seed, runs, faults: NO_FAULTS, crashAt: 0 });
    return Array.from({ length: crashPoints }, (_, index) => ({ seed, runs, faults: NO_FAULTS, crashAt: index + 1 }));
  }
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  return Array.from({ length: count }, (_story, index) => ({ seed: seed + index, runs }));
}

async function inTurn(stories: readonly SimulationOptions[]): Promise<SimulationResult[]> {
  const results: SimulationResult[] = [];
  for (const options of stories) results.push(await simulate(options));
  return results;
}

function atOnce(stories: readonly SimulationOptions[]): Promise<SimulationResult[]> {
  return inParallel(fileURLToPath(import.meta.url), stories, availableParallelism());
}

function report({ seed, crashAt }: SimulationOptions, violations: readonly string[]): void {
  const point = crashAt === undefined ? '' : ` --crash-at ${crashAt}`;
  console.log(`seed ${seed}${point}:`);
  for (const violation of violations) console.log(`  ${violation}`);
  console.log(`  replay: npm run sim -- --seed ${seed} --runs ${values.runs}${point} --trace`);
}
