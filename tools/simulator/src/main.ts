import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { type CommandLine, HELP, readCommandLine } from './command-line.js';
import { FAULTS, NO_FAULTS } from './faults.js';
import { inParallel } from './in-parallel.js';
import { sumOfCreates, tellCreates } from './tell-creates.js';
import { simulate } from './simulate.js';
import type { SimulationOptions, SimulationResult } from './simulation-options.js';
import { usualStory } from './usual-story.js';

const WORKER = '--worker';

if (process.argv.includes(WORKER)) serve();
else {
  try {
    const line = readCommandLine(process.argv.slice(2));
    if (line.help) console.log(HELP);
    else await tellAll(line);
  } catch (error) {
    console.error(error instanceof TypeError || error instanceof RangeError ? error.message : error);
    process.exitCode = 2;
  }
}

function serve(): void {
  // Whoever asked is gone.
  process.on('disconnect', () => process.exit());
  process.on('message', (options: SimulationOptions) => {
    simulate(options).then(
      (result) => process.send?.(result),
      (error: unknown) => {
        console.error(`seed ${options.seed}:`, error);
        process.exit(1);
      },
    );
  });
}

async function tellAll(line: CommandLine): Promise<void> {
  const startedAt = performance.now();
  const { stories, results } = await tellThose(line);
  const seconds = (performance.now() - startedAt) / 1000;
  const failed = results.filter(({ violations }) => violations.length > 0);
  const summary = { seeds: stories.length, violations: failed.length };
  const sum = (of: (result: SimulationResult) => number): number =>
    results.reduce((total, each) => total + of(each), 0);
  const totals = {
    simulatedSeconds: Math.round(sum(({ simulatedMs }) => simulatedMs) / 1000),
    runs: sum(({ runs }) => runs),
    machines: sum(({ machines }) => machines),
    severalServers: results.filter(({ replicas }) => replicas > 1).length,
    crashes: sum(({ crashes }) => crashes),
    freezes: sum(({ freezes }) => freezes),
    transactions: sum(({ commits }) => commits),
    seconds: Math.round(seconds * 10) / 10,
  };
  const creates = sumOfCreates(stories, results);
  if (line.json) {
    console.log(JSON.stringify({ ...summary, ...totals, creates, failedSeeds: failed.map(({ seed }) => seed) }));
  } else {
    for (const { kind, asked, faulted, machines, strays } of creates)
      console.log(
        `${kind}: ${faulted} of ${asked} create calls had trouble; of ${machines} machines ${strays} were nobody's for a while.`,
      );
    console.log(
      `${summary.seeds} stories (${totals.severalServers} with several servers), ${totals.simulatedSeconds} simulated seconds in ` +
        `${totals.seconds} s: ${totals.runs} runs, ${totals.machines} machines, ${totals.crashes} crashes and ${totals.freezes} ` +
        `standstills of servers, ${totals.transactions} transactions. ${summary.violations} broke a promise.`,
    );
  }
  process.exitCode = failed.length === 0 ? 0 : 1;
}

async function tellThose(
  line: CommandLine,
): Promise<{ readonly stories: readonly SimulationOptions[]; readonly results: readonly SimulationResult[] }> {
  const { creates, trace, from, kind } = line;
  if (creates !== null && trace === null) return tellCreates({ faulted: creates, from, kind }, tell);
  const stories = await plan(line);
  return { stories, results: await tell(stories) };
}

async function tell(stories: readonly SimulationOptions[]): Promise<SimulationResult[]> {
  const [only] = stories;
  if (only === undefined || stories.length > 1)
    return inParallel(fileURLToPath(import.meta.url), WORKER, stories, availableParallelism(), report);
  const result = await simulate(only);
  if (result.story.length > 0) console.log(result.story.join('\n'));
  report(only, result);
  return [result];
}

/** One story per seed; or one seed once for every point where a crash of the server leaves something else behind, with no other fault. */
async function plan({
  trace,
  everyPoint,
  crashAt,
  seeds,
  from,
  asked,
  creates,
  kind,
}: CommandLine): Promise<SimulationOptions[]> {
  const storyOf = (seed: number): SimulationOptions => ({ seed, ...usualStory(seed), ...asked });
  if (trace !== null && creates !== null) return [{ seed: trace, creates: kind ?? 'token', trace: true }];
  if (trace !== null)
    return [{ ...storyOf(trace), trace: true, ...(crashAt === null ? {} : { faults: NO_FAULTS, crashAt }) }];
  if (everyPoint === null) return Array.from({ length: seeds }, (_story, index) => storyOf(from + index));
  const story = { ...storyOf(everyPoint), faults: NO_FAULTS };
  const { crashPoints } = await simulate({ ...story, crashAt: 0 });
  return Array.from({ length: crashPoints }, (_, index) => ({ ...story, crashAt: index + 1 }));
}

function report(
  { seed, runs, services = 0, volumes = 0, gateways = 0, faults, crashAt, creates }: SimulationOptions,
  { violations }: SimulationResult,
): void {
  if (violations.length === 0) return;
  const told =
    creates === undefined
      ? `--runs ${runs} --services ${services} --volumes ${volumes} --gateways ${gateways}${faults === FAULTS ? ' --all-faults' : ''}`
      : `--creates 1 --kind ${creates}`;
  const point = crashAt === undefined ? '' : ` --crash-at ${crashAt}`;
  console.log(`seed ${seed}${point}:`);
  for (const violation of violations) console.log(`  ${violation}`);
  console.log(`  replay: npm run sim -- --trace ${seed} ${told}${point}`);
}
