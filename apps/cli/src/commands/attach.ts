import { isDstackError, isFinalRunStatus, selectJob } from '@dstack/sdk';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { followRun } from '../apply/follow-run.js';
import { toPortMapping } from '../apply/merge-ports.js';
import { runEnding } from '../apply/run-ending.js';
import { attachFlags } from '../apply/run-flags.js';
import { ProjectCommand } from '../base/project-command.js';
import { CliError } from '../errors/cli-error.js';
import { rewriteAddresses } from '../render/client-url.js';
import { runStatusText } from '../render/run-status.js';
import { parseSince } from '../render/since.js';
import { type Attachment, openAttachment } from '../ssh/open-attachment.js';
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
    const run = await client.runs.get(name).catch((cause: unknown) => {
      if (!isDstackError(cause, 'not-found')) throw cause;
      throw new CliError(`Run ${name} not found.`, { hint: 'See the runs: dstack ps -a', cause });
    });
    if (isFinalRunStatus(run.status) && !(flags.logs && run.status === 'done'))
      throw new CliError(`Run ${name} is ${runStatusText(run)}.`, { hint: `See what it printed: dstack logs ${name}` });
    const job = selectJob(run, { replica: flags.replica, job: flags.job });
    const ports = await reservePorts(job?.job_spec.app_specs ?? [], (flags.port ?? []).map(toPortMapping), flags.host);
    const leave = new AbortController();
    const onInterrupt = () => leave.abort();
    process.on('SIGINT', onInterrupt);
    let attachment: Attachment | undefined;
    try {
      const ended = await followRun(client, context, name, {
        replica: flags.replica,
        job: flags.job,
        sinceMs,
        showLogs: flags.logs,
        signal: leave.signal,
        rewrite: (bytes) => rewriteAddresses(bytes, attachment?.ports ?? []),
        onRunning: async (running) => {
          if (isFinalRunStatus(running.status) || attachment) return;
          attachment = await openAttachment(client, context, running, {
            ports,
            host: flags.host,
            identity: flags['ssh-identity'],
            replica: flags.replica,
            job: flags.job,
            signal: leave.signal,
          });
          this.print(attachment.text);
        },
      });
      const ending = runEnding(ended, name);
      this.note(ending.text);
      if (flags.logs) process.exitCode = ending.exitCode;
    } catch (error) {
      if (!leave.signal.aborted) throw error;
      this.note('\nDetached');
    } finally {
      process.off('SIGINT', onInterrupt);
      await attachment?.close();
    }
  }
}
