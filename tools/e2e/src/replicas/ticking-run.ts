import { type CliOptions, SMALL, type Stack } from '../stack.js';

/** A task that says every half second which number it has come to, and when. */
export interface TickingRun {
  readonly name: string;
  readonly ticks: number;
  /** Lines of its configuration. */
  readonly more?: string;
}

/** @throws {Error} when it is not taken */
export async function submitTicking(
  stack: Stack,
  { name, ticks, more = '' }: TickingRun,
  options: CliOptions = {},
): Promise<void> {
  const loop = `for i in $(seq ${ticks}); do echo "tick $i $(date +%s%3N)"; sleep 0.5; done`;
  const file = stack.file(name, `type: task\nname: ${name}\ncommands:\n  - ${loop}\n${SMALL}\n${more}\n`);
  const { code, stderr } = await stack.cli(['apply', '-y', '-d', '-f', file], options);
  if (code !== 0) throw new Error(`The run ${name} was not taken: ${stderr}`);
}

export interface Tick {
  readonly number: number;
  /** Milliseconds since the epoch, by the clock of the run. */
  readonly at: number;
}

export function ticksIn(log: string): Tick[] {
  return [...log.matchAll(/^tick (\d+) (\d+)\r?$/gm)].map(([, number, at]) => ({
    number: Number(number),
    at: Number(at),
  }));
}

/** What a log has too few or too often, where every number from 1 to `expected` belongs in it once. */
export function countTicks(
  ticks: readonly Tick[],
  expected: number,
): { readonly lost: number; readonly doubled: number } {
  const seen = new Set(ticks.map(({ number }) => number));
  return { lost: expected - seen.size, doubled: ticks.length - seen.size };
}

export const ENDED: ReadonlySet<string> = new Set(['done', 'failed', 'terminated']);

interface SeenRun {
  readonly status: string;
  readonly jobs: readonly { readonly job_submissions: readonly { readonly termination_reason: string | null }[] }[];
}

/** @returns its status, and how often it was started: a submission that found no room was not */
export async function runOf(stack: Stack, name: string): Promise<{ readonly status: string; readonly starts: number }> {
  const run = await stack.api<SeenRun>('/api/project/main/runs/get', { run_name: name });
  const submissions = run.jobs.flatMap((job) => job.job_submissions);
  const started = submissions.filter((each) => each.termination_reason !== 'failed_to_start_due_to_no_capacity');
  return { status: run.status, starts: started.length };
}
