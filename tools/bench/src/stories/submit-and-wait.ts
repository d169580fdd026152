import { setTimeout as sleep } from 'node:timers/promises';
import type { Wire } from '@dstack/core';
import type { Stack } from '@dstack/e2e/stack';

const LIMIT_MS = 60_000;
const ASK_EVERY_MS = 5;

/** From the request that submits until the API says that it runs; ends it and waits for that. @param look while it runs */
export async function submittedToRunningMs(
  stack: Stack,
  name: string,
  task: object,
  look: () => void = () => undefined,
): Promise<number> {
  const configuration = { type: 'task', name, ...task };
  const startedAt = performance.now();
  await stack.api('/api/project/main/runs/apply', {
    plan: { run_spec: { run_name: name, configuration }, current_resource: null },
    force: true,
  });
  await untilStatus(stack, name, ['running']);
  const elapsedMs = performance.now() - startedAt;
  look();
  await stack.api('/api/project/main/runs/stop', { runs_names: [name], abort: true });
  await untilStatus(stack, name, ['terminated', 'failed', 'done']);
  return elapsedMs;
}

/** From the start of `dstack apply` until the first line of the log is on its output. */
export async function firstLineMs(stack: Stack, name: string, task: object): Promise<number> {
  const file = stack.file(name, JSON.stringify({ type: 'task', name, ...task }));
  const startedAt = performance.now();
  const command = stack.startCli(['apply', '-y', '-f', file]);
  const seen = new Promise<number>((resolve) => {
    command.child.stdout?.on('data', () => {
      if (command.output().includes('first-line')) resolve(performance.now() - startedAt);
    });
  });
  const { code, stdout, stderr } = await command.done;
  if (code !== 0) throw new Error(`dstack apply ended with ${code}: ${stdout}${stderr}`);
  return seen;
}

async function untilStatus(stack: Stack, name: string, wanted: readonly Wire.RunStatus[]): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const run = await stack.api<Wire.Run>('/api/project/main/runs/get', { run_name: name });
    if (wanted.includes(run.status)) return;
    if (run.status === 'failed' || performance.now() > deadline)
      throw new Error(`run ${name} is ${run.status}: ${JSON.stringify(run.latest_job_submission ?? null)}`);
    await sleep(ASK_EVERY_MS);
  }
}
