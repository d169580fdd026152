import type { Stack } from '../stack.js';
import type { ExpectedRun } from './workload.js';

interface SeenSubmission {
  readonly exit_status: number | null;
  readonly termination_reason: string | null;
  readonly termination_reason_message: string | null;
}

interface SeenRun {
  readonly status: string;
  readonly jobs: readonly { readonly job_submissions: readonly SeenSubmission[] }[];
}

const FINAL = new Set(['done', 'failed', 'terminated']);

/** Undefined while the run goes on or nobody answers. */
export async function finalRun(stack: Stack, name: string): Promise<SeenRun | undefined> {
  const run = await stack.api<SeenRun>('/api/project/main/runs/get', { run_name: name }).catch(() => undefined);
  return run !== undefined && FINAL.has(run.status) ? run : undefined;
}

export async function hasStarted(stack: Stack, name: string): Promise<boolean> {
  const run = await stack.api<SeenRun>('/api/project/main/runs/get', { run_name: name });
  return run.status === 'running' || FINAL.has(run.status);
}

/** What is not as it would be had nothing happened. */
export async function wrongWith(stack: Stack, expected: ExpectedRun, run: SeenRun): Promise<string[]> {
  const wrong: string[] = [];
  const { name, status, lines } = expected;
  const submissions = run.jobs.flatMap((job) => job.job_submissions);
  const { termination_reason: reason, termination_reason_message: message } = submissions.at(-1) ?? {};
  if (run.status !== status) wrong.push(`${name} is ${run.status} (${reason}: ${message}), not ${status}`);
  if (submissions.length !== 1) wrong.push(`${name} was submitted ${submissions.length} times`);
  const exitStatus = submissions.at(-1)?.exit_status;
  const due = status === 'failed' ? 3 : 0;
  if (exitStatus !== due) wrong.push(`${name} has the exit status ${exitStatus ?? 'none'}, not ${due}`);
  const { stdout } = await stack.cli(['logs', name]);
  const seen = stdout.split(/\r?\n/).filter((line) => line !== '');
  const at = lines.findIndex((line, index) => seen[index] !== line);
  if (at >= 0) wrong.push(`${name}: line ${at + 1} of its log is "${seen[at] ?? ''}", not "${lines[at] ?? ''}"`);
  if (seen.length > lines.length)
    wrong.push(`${name}: ${seen.length} lines of log instead of ${lines.length}, from "${seen[lines.length] ?? ''}"`);
  return wrong;
}
