import { isDstackError, isFinalRunStatus, runExitStatus } from '@dstack/sdk';
import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { interruptSignal } from '../base/interrupt.js';
import { ProjectCommand } from '../base/project-command.js';
import { CliError, EXIT_FAILURE } from '../errors/cli-error.js';
import { parseSince } from '../render/since.js';
import { connectionNotes } from '../terminal/connection-notes.js';
import { writeStdout } from '../terminal/write-stdout.js';

export default class Logs extends ProjectCommand {
  static override summary = 'Show the logs of a run';
  static override examples = ['dstack logs train', 'dstack logs train -f --since 5m'];
  static override args = { run_name: Args.string({ description: 'The run', required: true }) };
  static override flags = {
    diagnose: Flags.boolean({ char: 'd', default: false, summary: 'Show what the agent logged about the job' }),
    follow: Flags.boolean({
      char: 'f',
      default: false,
      summary: "Go on until the job is finished; the exit code is then the job's",
    }),
    replica: Flags.integer({ summary: 'The replica', default: 0, min: 0 }),
    job: Flags.integer({ summary: 'The job of the replica', default: 0, min: 0 }),
    since: Flags.string({ summary: 'Only what is newer: a duration or a time with offset', helpValue: 'SINCE' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Logs);
    const client = await this.connect(flags);
    const handle = client.runs.handle(args.run_name);
    const sinceMs = flags.since === undefined ? undefined : parseSince(flags.since, this.context.now());
    const { replica, job, follow, diagnose } = flags;
    const { signal } = interruptSignal();
    await handle.get({ signal }).catch((error: unknown) => {
      if (!isDstackError(error, 'not-found')) throw error;
      throw new CliError(`Run ${args.run_name} not found.`, { hint: 'See the runs: dstack ps -a', cause: error });
    });
    const onConnection = connectionNotes((text) => process.stderr.write(text));
    for await (const chunk of handle.logBytes({ replica, job, follow, diagnose, sinceMs, signal, onConnection }))
      await writeStdout(chunk.bytes);
    if (!follow) return;
    // The log is complete a moment before the run is final.
    for await (const run of handle.watch({ signal }))
      if (isFinalRunStatus(run.status))
        process.exitCode = runExitStatus(run) ?? (run.status === 'done' ? 0 : EXIT_FAILURE);
  }
}
