import { parseArgs } from 'node:util';
import { whyNoTestHosts } from '@dstack/test-hosts';
import { freePort } from '../free-port.js';
import { type PostgresServer, startPostgres } from '../postgres.js';
import type { CrashWorld } from './crash-world.js';
import { CRASH_FAULTS } from './faults.js';
import { oneMachineWorld } from './one-machine-world.js';
import { ownHostsWorld } from './own-hosts-world.js';
import { type CaseResult, runCase } from './run-case.js';

const USAGE = `npm run crash -- [--n CASES] [--seed FIRST] [--world NAME] [--fault TEXT] [--json]

Kills and pauses servers, agents and Postgres while runs go on, then counts what is wrong: runs, submissions, lines of logs, processes,
containers, busy blocks. Every other story strikes at a named point of a run's life, the others at any moment. Worlds: sqlite, postgres, replicas. The cases are shared out over the worlds; each takes 10 to 40 seconds.`;

/** Characters of a server's log that are shown when something is wrong. */
const LOG_END = 4_000;

const { values } = parseArgs({
  options: {
    n: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    world: { type: 'string', multiple: true },
    fault: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(USAGE);
else await runAll();

async function runAll(): Promise<void> {
  const wanted = values.world ?? ['sqlite', 'postgres', 'replicas'];
  const makers = (await Promise.all(wanted.map(worldMaker))).flatMap((make) => make ?? []);
  const cases = Number(values.n);
  const results: CaseResult[] = [];
  for (const [index, make] of makers.entries()) {
    const share = Math.floor((cases * (index + 1)) / makers.length) - Math.floor((cases * index) / makers.length);
    const world = await make();
    try {
      results.push(...(await runCases(world, share)));
    } finally {
      await world.close();
    }
  }
  const sum = (of: (result: CaseResult) => number): number => results.reduce((total, each) => total + of(each), 0);
  const wrong = sum((result) => result.wrong.length);
  const totals = { runs: sum(({ runs }) => runs), logLines: sum(({ logLines }) => logLines), wrong };
  console.log(JSON.stringify({ cases: results.length, ...totals }));
  process.exitCode = wrong === 0 && results.length > 0 ? 0 : 1;
}

/** Undefined where this machine cannot have that world. */
async function worldMaker(name: string): Promise<(() => Promise<CrashWorld>) | undefined> {
  const leaveOut = (why: string): undefined => void process.stderr.write(`left out: ${name}: ${why}\n`);
  if (name === 'sqlite') return () => oneMachineWorld(undefined);
  if (name === 'replicas') {
    const why = whyNoTestHosts();
    if (why !== null) return leaveOut(why);
  }
  const postgres: PostgresServer | undefined = await startPostgres(await freePort());
  if (postgres === undefined) return leaveOut('Postgres is not installed');
  return name === 'replicas' ? () => ownHostsWorld(postgres) : () => oneMachineWorld(postgres);
}

async function runCases(world: CrashWorld, count: number): Promise<CaseResult[]> {
  const faults = CRASH_FAULTS.filter((fault) => fault.appliesTo(world)).filter(({ name }) =>
    name.includes(values.fault ?? ''),
  );
  const results: CaseResult[] = [];
  for (let index = 0; index < count && faults.length > 0; index += 1) {
    const fault = faults[index % faults.length];
    if (fault === undefined) break;
    const result = await runCase(world, fault, Number(values.seed) + index);
    results.push(result);
    if (result.wrong.length > 0)
      for (const server of world.servers) process.stderr.write(server.serverLog().slice(-LOG_END));
    if (values.json) console.log(JSON.stringify(result));
    else tell(result);
  }
  return results;
}

function tell({ world, fault, seed, strikeAt, wrong }: CaseResult): void {
  console.log(`${wrong.length === 0 ? 'ok   ' : 'WRONG'} ${world}: ${fault} ${strikeAt} (seed ${seed})`);
  for (const text of wrong) console.log(`      ${text}`);
}
