import { parseArgs } from 'node:util';
import type { Campaign } from './campaign.js';
import { CAMPAIGNS } from './campaigns.js';
import { type Finding, runRound } from './run-round.js';

const USAGE = `npm run fuzz -- [--seconds N] [--only NAME] [--seed S] [--json]
Campaigns: ${CAMPAIGNS.map(({ name }) => name).join(', ')}`;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const chosen = CAMPAIGNS.filter(({ name }) => values.only === undefined || name === values.only);

if (values.help) console.log(USAGE);
else if (chosen.length === 0 || !Number.isInteger(seed) || !(seconds > 0)) {
  console.error(USAGE);
  process.exitCode = 2;
} else await tellAll();

/** The time is shared out evenly; each campaign has one round at least, and one more seed for each further one. */
async function tellAll(): Promise<void> {
  const findings: Finding[] = [];
  let cases = 0;
  if (!values.json) console.log(`seed ${seed}`);
  for (const campaign of chosen) {
    const tried = await attack(campaign, (seconds * 1000) / chosen.length);
    findings.push(...tried.findings);
    cases += tried.cases;
    if (!values.json) tell(campaign, tried);
  }
  const failed = findings.map(({ campaign, trial, seed: failing }) => ({ campaign, trial, seed: failing }));
  console.log(JSON.stringify({ seed, cases, findings: failed }));
  process.exitCode = findings.length === 0 ? 0 : 1;
}

interface Tried {
  readonly rounds: number;
  readonly cases: number;
  readonly findings: readonly Finding[];
}

/** Ends at the first round with a finding. */
async function attack(campaign: Campaign, limitMs: number): Promise<Tried> {
  const endsAt = performance.now() + limitMs;
  let cases = 0;
  let rounds = 0;
  for (;;) {
    const round = await runRound(campaign, { seed: seed + rounds, share: 1 });
    rounds += 1;
    cases += round.cases;
    if (round.findings.length > 0 || performance.now() >= endsAt) return { rounds, cases, findings: round.findings };
  }
}

function tell(campaign: Campaign, { rounds, cases, findings }: Tried): void {
  console.log(`${campaign.name} (${campaign.what}): ${cases} cases in ${rounds} rounds`);
  for (const finding of findings) {
    console.log(`  FOUND ${finding.trial}\n  input: ${finding.input}\n  ${finding.error.replaceAll('\n', '\n  ')}`);
    console.log(`  replay: npm run fuzz -- --only ${finding.campaign} --seed ${finding.seed}`);
  }
}
