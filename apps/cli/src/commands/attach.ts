import { isDstackError, isFinalRunStatus, selectSubmission, type Wire } from '@dstack/sdk';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { followRun } from '../apply/follow-run.js';
import { leaveSignal } from '../apply/leave-signal.js';
import { type PortMapping, toPortMapping } from '../apply/merge-ports.js';
import { type RunEnding, runEnding } from '../apply/run-ending.js';
import { attachFlags } from '../apply/run-flags.js';
import { ProjectCommand } from '../base/project-command.js';
import { CliError } from '../errors/cli-error.js';
import { rewriteAddresses } from '../render/client-url.js';
import { jobStatusText, runStatusText } from '../render/run-status.js';
import { parseSince } from '../render/since.js';
import { Attachments, tunnelNotes } from '../ssh/attachments.js';
import { isOnThisMachine } from '../ssh/host-entries.js';
import { reservePorts } from '../ssh/reserve-ports.js';

export default class Attach extends ProjectCommand {
  static override summary = 'Attach to a run: forward its ports, give it a name for ssh, show its logs';
  static override args = { run_name: Args.string({ description: 'The run', required: true }) };
  static override flags = {
    ...attachFlags,
    logs: Flags.boolean({ summary: "Show the logs; the exit code is then the job's" }),
    since: Flags.string({ summary: 'Only logs newer than this: a duration or a time with offset', helpValue: 'SINCE' }),
    replica: Flags.integer({ summary: 'The replica; default the lowest that runs', min: 0 }),
    job: Flags.integer({ summary: 'The job of the replica', default: 0, min: 0 }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Attach);
    const { context } = this;
    const name = args.run_name;
    const client = await this.connect(flags);
    const sinceMs = flags.since === undefined ? undefined : parseSince(flags.since, context.now());
    const selector = { replica: flags.replica, job: flags.job };
    const run = await client.runs.get(name).catch((cause: unknown) => {
      if (!isDstackError(cause, 'not-found')) throw cause;
      throw new CliError(`Run ${name} not found.`, { hint: 'See the runs: dstack ps -a', cause });
    });
    mayAttach(run, name, selector, flags.logs);
    const leave = leaveSignal();
    const overrides = (flags.port ?? []).map(toPortMapping);
    const attachments = new Attachments(
      client,
      context,
      {
        ...selector,
        ports: (job) => portsOf(job, overrides, flags.host),
        identity: flags['ssh-identity'],
        signal: leave.signal,
        onConnection: tunnelNotes(name),
      },
      (text) => this.print(text),
    );
    try {
      const ended = await followRun(client, context, name, {
        ...selector,
        sinceMs,
        showLogs: flags.logs,
        untilJobDone: true,
        signal: leave.signal,
        rewrite: (bytes) => rewriteAddresses(bytes, attachments.ports),
        onRunning: async (running) => {
          if (selectSubmission(running, selector)?.status === 'running') await attachments.open(running);
        },
        onEnded: () => attachments.close(),
      });
      const ending = endingOf(ended, name, selector);
      this.note(ending.text);
      if (flags.logs) process.exitCode = ending.exitCode;
    } catch (error) {
      if (!leave.signal.aborted) throw error;
      this.note('\nDetached');
    } finally {
      leave.release();
      await attachments.close();
    }
  }
}

interface Selector {
  readonly replica: number | undefined;
  readonly job: number;
}

/** @throws {CliError} */
function mayAttach(run: Wire.Run, name: string, selector: Selector, showLogs: boolean): void {
  const submission = selectSubmission(run, selector);
  if (run.jobs.length > 0 && !submission)
    throw new CliError(`Run ${name} has no job ${describe(selector)}.`, { hint: 'See its jobs: dstack ps -v' });
  const logs = `See what it printed: dstack logs ${name}`;
  if (isFinalRunStatus(run.status) && !(showLogs && run.status === 'done'))
    throw new CliError(`Run ${name} is ${runStatusText(run)}.`, { hint: logs });
  if (submission?.status === 'done' && !showLogs)
    throw new CliError(`Job ${describe(selector)} of run ${name} is ${jobStatusText(submission)}.`, { hint: logs });
}

async function portsOf(job: Wire.Job, overrides: readonly PortMapping[], bindHost: string | undefined) {
  const apps = job.job_spec.app_specs ?? [];
  return reservePorts({ apps, overrides, bindHost, isOnThisMachine: isOnThisMachine(job) });
}

/** The run's end, or that of the one job while others go on. */
function endingOf(run: Wire.Run, name: string, selector: Selector): RunEnding {
  const submission = selectSubmission(run, selector);
  if (isFinalRunStatus(run.status) || !submission) return runEnding(run, name);
  const text = `Job ${describe(selector)} of run ${name}: ${jobStatusText(submission)}; the run goes on`;
  return { text, ok: true, exitCode: 0 };
}

function describe({ replica, job }: Selector): string {
  return replica === undefined ? `job=${job}` : `replica=${replica} job=${job}`;
}
