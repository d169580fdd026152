import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Bench, isMet, type Measurement } from './bench.js';
import { BENCHES } from './benches/index.js';
import { tell } from './report.js';

const USAGE = `npm run bench -- [--only B1,B2] [--quick] [--json]
Measures on this machine, one bench after the other: ${BENCHES.map(({ id }) => id).join(', ')}. docs/performance.md says what each is.
--quick  less of everything: shows that a bench works, its figures mean nothing
--json   ends with one line {"B1": [{"name", "value", "unit", "floor", "target", "met"}, …], …}`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const only = values.only?.toUpperCase().split(',');
const chosen = BENCHES.filter(({ id }) => only === undefined || only.includes(id));

if (values.help) console.log(USAGE);
else if (chosen.length === 0) {
  console.error(USAGE);
  process.exitCode = 2;
} else await measureAll();

async function measureAll(): Promise<void> {
  const results: Record<string, unknown[]> = {};
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} CPUs, Node ${process.versions.node}`);
  for (const { load } of chosen) {
    const bench = await load();
    const measurements = await measure(bench);
    if (measurements === null) process.exitCode = 1;
    results[bench.id] = (measurements ?? []).map((each) => ({ ...each, met: isMet(each) }));
  }
  if (values.json) console.log(JSON.stringify(results));
}

/** Null when the bench itself failed. A missed target is a result, no failure. */
async function measure(bench: Bench): Promise<readonly Measurement[] | null> {
  console.log(`${bench.id} ${bench.title}`);
  try {
    const measurements = await bench.run({ quick: values.quick, say: (text) => console.error(`  … ${text}`) });
    for (const measurement of measurements) console.log(tell(measurement));
    return measurements;
  } catch (error) {
    console.log(`  failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return null;
  }
}
