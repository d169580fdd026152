import { randomUUID } from 'node:crypto';
import type { Dstack, Wire } from '@dstack/sdk';
import { QuietExit } from '../errors/cli-error.js';
import { runPlanText } from '../render/run-plan.js';
import { serviceLines } from '../render/service-text.js';
import { diffRunSpecs } from '../render/spec-diff.js';
import type { CliContext } from '../terminal/context.js';
import { withProgress } from '../terminal/progress.js';
import { confirm } from '../terminal/prompt.js';
import { attachedApply, prepareAttachment } from './attached-apply.js';
import { decideApply } from './decide-apply.js';
import type { PreparedRun } from './prepare-run.js';
import { stopAndWait } from './stop-and-wait.js';

export interface ApplyRunOptions {
  readonly yes: boolean;
  readonly force: boolean;
  readonly detach: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly maxOffers: number;
  readonly fullOffers: boolean;
  readonly unallocated: boolean;
  readonly ports: readonly string[];
  readonly host: string | undefined;
  readonly sshIdentity: string | undefined;
  readonly signal: AbortSignal;
  /** Gives Ctrl-C to whoever comes next. */
  readonly releaseInterrupt: () => void;
}

/** Plan, confirm, upload, submit; then, unless detached, wait and show the logs. The returned value is what `--json` prints. */
export async function applyRun(
  client: Dstack,
  context: CliContext,
  prepared: PreparedRun,
  options: ApplyRunOptions,
): Promise<Wire.RunPlan | Wire.Run> {
  const { signal } = options;
  const plan = await withProgress(context, 'Getting apply plan...', () =>
    client.runs.plan(prepared.spec, {
      maxOffers: options.maxOffers,
      fullOffers: options.fullOffers,
      unallocated: options.unallocated,
      signal,
    }),
  );
  const say = (text: string) => {
    if (!options.json) process.stdout.write(`${text}\n`);
  };
  const { style } = context;
  say(runPlanText(plan, { style, width: context.width(), nowMs: context.now(), verbose: options.verbose }));
  say('');

  const current = plan.current_resource;
  const changes = current ? diffRunSpecs(current.run_spec, plan.effective_run_spec ?? plan.run_spec) : [];
  const decision = decideApply({ plan, changes, yes: options.yes, force: options.force });
  if (decision.message !== '') say(decision.message);
  if (options.dryRun) return plan;
  if (decision.do === 'nothing') return plan;
  if (!options.yes && !(await confirm(context, decision.question))) {
    say('Exiting...');
    throw new QuietExit(0);
  }
  // Before anything is changed: a port in use must not leave a run behind that nobody is attached to.
  const ports = options.detach ? undefined : await prepareAttachment(context, plan, options.host);
  if (decision.do === 'replace') await stopAndWait(client, context, nameOf(plan), signal);

  const spec = await withProgress(context, 'Uploading...', () => prepared.upload(client, signal));
  // The stopped run differs from the planned one by its state only; the server compares specifications.
  const run = await withProgress(context, 'Applying plan...', () =>
    client.runs.submit({ run_spec: spec, current_resource: current ?? null }, { idempotencyKey: randomUUID(), signal }),
  );
  const name = run.run_spec.run_name ?? '';
  if (options.detach) {
    say(`Run ${style.code(name)} ${decision.do === 'update' ? 'updated' : 'submitted, detaching...'}`);
    for (const line of serviceLines(run, { serverUrl: client.url, style })) say(line);
    return run;
  }
  options.releaseInterrupt();
  process.exitCode = await attachedApply(client, context, { run, plan, ports, options, say });
  return run;
}

function nameOf(plan: Wire.RunPlan): string {
  return plan.current_resource?.run_spec.run_name ?? plan.run_spec.run_name ?? '';
}
