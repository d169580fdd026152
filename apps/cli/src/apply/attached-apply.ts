import { type Dstack, isDstackError, selectSubmission, type Wire } from '@dstack/sdk';
import { CliError, EXIT_INTERRUPTED } from '../errors/cli-error.js';
import { type ForwardedPort, rewriteAddresses } from '../render/client-url.js';
import { isRollingOut } from '../render/rollout-text.js';
import { serviceLines } from '../render/service-text.js';
import type { CliContext } from '../terminal/context.js';
import { Attachments, tunnelNotes } from '../ssh/attachments.js';
import { onMachineOf } from '../ssh/open-attachment.js';
import { reservePorts } from '../ssh/reserve-ports.js';
import { requireSshClient } from '../ssh/ssh-client.js';
import type { ApplyRunOptions } from './apply-run.js';
import { askHowToLeave } from './ask-how-to-leave.js';
import { followRun } from './follow-run.js';
import { leaveSignal } from './leave-signal.js';
import { runEnding } from './run-ending.js';
import { tellRollout } from './tell-rollout.js';
import { tellWhenReady } from './tell-when-ready.js';

export interface AttachedApply {
  readonly run: Wire.Run;
  readonly plan: Wire.RunPlan;
  /** Reserved local ports; absent when the run needs no attachment. */
  readonly ports: readonly ForwardedPort[] | undefined;
  readonly options: ApplyRunOptions;
  readonly say: (text: string) => void;
}

/** Reserves the local ports of a run that is attached to through SSH, and looks for the client; undefined when it needs neither. */
export async function prepareAttachment(
  context: CliContext,
  plan: Wire.RunPlan,
  host: string | undefined,
): Promise<ForwardedPort[] | undefined> {
  const apps = plan.job_plans[0]?.job_spec.app_specs ?? [];
  if (plan.run_spec.configuration.type !== 'dev-environment' && apps.length === 0) return undefined;
  await requireSshClient(context.env);
  return reservePorts({ apps, overrides: [], bindHost: host, isOnThisMachine: false });
}

/** Waits for the run and shows its logs; returns the exit code. */
export async function attachedApply(client: Dstack, context: CliContext, apply: AttachedApply): Promise<number> {
  const { run, plan, ports, options, say } = apply;
  const name = run.run_spec.run_name ?? '';
  const leave = leaveSignal();
  const attachments = new Attachments(
    client,
    context,
    {
      ports: (job) => Promise.resolve(onMachineOf(job, ports ?? [])),
      identity: options.sshIdentity,
      signal: leave.signal,
      onConnection: tunnelNotes(name),
    },
    say,
  );
  const over = new AbortController();
  if (run.service) {
    say(serviceLines(run, { serverUrl: client.url, style: context.style }).join('\n'));
    const signal = AbortSignal.any([leave.signal, over.signal]);
    if (isRollingOut(run)) void tellRollout(client, name, { say, signal });
    else void tellWhenReady(client, context, name, { say, signal });
  }
  try {
    const ended = await followRun(client, context, name, {
      plan,
      showLogs: true,
      signal: leave.signal,
      rewrite: (bytes) => rewriteAddresses(bytes, attachments.ports),
      onRunning: async (running) => {
        if (ports && isEnterable(running)) await attachments.open(running).catch(tellAndGoOn);
      },
      onEnded: () => attachments.close(),
    });
    const ending = runEnding(ended, name);
    if (options.json) return ending.exitCode;
    process.stderr.write(
      `${ending.ok ? context.errStyle.secondary(ending.text) : context.errStyle.error(ending.text)}\n`,
    );
    return ending.exitCode;
  } catch (error) {
    if (!isDstackError(error, 'aborted') && !leave.signal.aborted) throw error;
    leave.release();
    if (!leave.isForced()) await askHowToLeave(client, context, name);
    return EXIT_INTERRUPTED;
  } finally {
    over.abort(new Error('the run is not followed any more'));
    leave.release();
    await attachments.close();
  }
}

/** The run is there and its log can be read: more than an attachment that failed. */
function tellAndGoOn(error: unknown): void {
  if (!(error instanceof CliError)) throw error;
  process.stderr.write(`${error.message}\n${error.hint ?? ''}\nThe run goes on; its log follows.\n`);
}

/** A short job may have ended before it was seen to run. */
function isEnterable(run: Wire.Run): boolean {
  return selectSubmission(run)?.status === 'running';
}
