import type { Campaign, TrialOptions } from './campaign.js';

export interface Finding {
  readonly campaign: string;
  readonly trial: string;
  readonly seed: number;
  readonly input: string;
  readonly error: string;
}

export interface Round {
  readonly cases: number;
  readonly findings: readonly Finding[];
}

/** Every trial of a campaign once, on a fresh target. */
export async function runRound(campaign: Campaign, options: TrialOptions): Promise<Round> {
  const target = await campaign.open();
  try {
    let cases = 0;
    const findings: Finding[] = [];
    for (const trial of target.trials) {
      const { counterexample, ...result } = await trial.run(options);
      cases += result.cases;
      if (counterexample !== undefined)
        findings.push({ campaign: campaign.name, trial: trial.name, seed: options.seed, ...counterexample });
    }
    return { cases, findings };
  } finally {
    await target.close();
  }
}
