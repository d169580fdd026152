import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { ALL_DEFECTS } from './all-defects.js';
import { Baseline } from './baseline.js';
import type { Defect } from './defect.js';
import { hunt, type Hunted } from './hunt.js';
import { StoryTeller } from './story-teller.js';

const USAGE = `npm run mutate -- [--only NAME]... [--seeds 200] [--json] [--list] [--help]

Puts one known defect after the other into the server and shows that the simulator finds each within so many seeds. A seed counts
only where the server as it is keeps every promise. Needs a build (npm run build); changes no file.

  --only NAME  this defect only; may be repeated
  --seeds N    how many seeds each defect may survive (200)
  --json       one line of JSON instead of a table
  --list       names, and what each defect would cost
Ends with 1 when a defect is not found, or when the server as it is breaks a promise.`;

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [] },
    seeds: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const seeds = Number(values.seeds);
const unknown = values.only.filter((name) => !ALL_DEFECTS.some((defect) => defect.name === name));
const chosen = ALL_DEFECTS.filter(({ name }) => values.only.length === 0 || values.only.includes(name));

if (values.help) console.log(USAGE);
else if (values.list) for (const { name, loses } of chosen) console.log(`${name}: ${loses}`);
else if (unknown.length > 0 || !Number.isInteger(seeds) || seeds < 1) {
  console.error(unknown.length > 0 ? `No such defect: ${unknown.join(', ')}. --list names all` : USAGE);
  process.exitCode = 2;
} else await huntAll();

type Result = Hunted & { readonly name: string; readonly seconds: number };

async function huntAll(): Promise<void> {
  const startedAt = performance.now();
  const sound = { usual: new StoryTeller('usual', null), gateways: new StoryTeller('gateways', null) };
  const baselines = {
    usual: new Baseline((seed) => sound.usual.tell(seed)),
    gateways: new Baseline((seed) => sound.gateways.tell(seed)),
  };
  const results: Result[] = [];
  const waiting = [...chosen];
  const work = async (): Promise<void> => {
    for (let defect = waiting.shift(); defect !== undefined; defect = waiting.shift()) {
      const result = await huntOne(defect, baselines[defect.stories ?? 'usual']);
      results.push(result);
      if (!values.json) tell(result);
    }
  };
  try {
    await Promise.all(Array.from({ length: availableParallelism() }, work));
    const unclean = [...(await baselines.usual.unclean()), ...(await baselines.gateways.unclean())];
    const missed = results.filter(({ caught }) => !caught).map(({ name }) => name);
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10;
    for (const { seed, violation } of values.json ? [] : unclean)
      console.log(`seed ${seed} goes wrong without any defect: ${violation}`);
    const summary = { defects: chosen.length, caught: chosen.length - missed.length, missed, unclean, seconds };
    console.log(JSON.stringify(values.json ? { ...summary, results: inOrder(results) } : summary));
    process.exitCode = missed.length === 0 && unclean.length === 0 ? 0 : 1;
  } finally {
    sound.usual.end();
    sound.gateways.end();
  }
}

async function huntOne({ name, stories = 'usual' }: Defect, baseline: Baseline): Promise<Result> {
  const startedAt = performance.now();
  const defective = new StoryTeller(stories, name);
  try {
    const hunted = await hunt({ tell: (seed) => defective.tell(seed), baseline: (seed) => baseline.of(seed), seeds });
    return { ...hunted, name, seconds: Math.round((performance.now() - startedAt) / 100) / 10 };
  } finally {
    defective.end();
  }
}

function tell({ name, seconds, ...hunted }: Result): void {
  console.log(
    hunted.caught
      ? `caught  ${name}  seed ${hunted.seed}  ${seconds} s  ${hunted.violation}`
      : `MISSED  ${name}  ${hunted.seedsTried} seeds  ${seconds} s${hunted.because === null ? '' : `  ${hunted.because}`}`,
  );
}

function inOrder(results: readonly Result[]): Result[] {
  return chosen.flatMap(({ name }) => results.filter((result) => result.name === name));
}
