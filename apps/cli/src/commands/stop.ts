import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import { ProjectCommand } from '../base/project-command.js';
import { CliError } from '../errors/cli-error.js';
import { type Dstack, isDstackError, isFinalRunStatus, type Wire } from '@dstack/sdk';
import { confirm } from '../terminal/prompt.js';
import { Progress, withProgress } from '../terminal/progress.js';
import { runStatusText } from '../render/run-status.js';

interface StopFlags {
  readonly abort: boolean;
  readonly yes: boolean;
  readonly wait: boolean;
}

export default class Stop extends ProjectCommand {
  static override summary = 'Stop runs';
  static override strict = false;
  static override args = { run_name: Args.string({ description: 'The run; several may follow', required: true }) };
  static override flags = {
    abort: Flags.boolean({ char: 'x', summary: 'Stop at once, without time to finish' }),
    yes: Flags.boolean({ char: 'y', summary: 'Do not ask' }),
    wait: Flags.boolean({ summary: 'Wait until the runs are finished' }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Stop);
    const names = argv.map(String);
    const client = await this.connect(flags);
    const runs = await Promise.all(names.map((name) => findRun(client, name)));
    const active = names.filter((name, i) => {
      const run = runs[i];
      if (run === undefined || !isFinalRunStatus(run.status)) return true;
      this.print(`Run ${name} is over already: ${runStatusText(run)}.`);
      return false;
    });
    if (active.length > 0) await this.end(client, active, flags);
  }

  private async end(client: Dstack, names: string[], flags: StopFlags): Promise<void> {
    const verb = flags.abort ? 'Abort' : 'Stop';
    const subject = names.length === 1 ? `the run ${names[0] ?? ''}` : `the runs ${names.join(', ')}`;
    if (!flags.yes && !(await confirm(this.context, `${verb} ${subject}?`))) {
      this.note('Nothing was stopped.');
      return;
    }
    await withProgress(this.context, `${verb}ping ${subject}`.replace('Abortping', 'Aborting'), () =>
      client.runs.stop(names, { abort: flags.abort }),
    );
    if (flags.wait) {
      const progress = new Progress(this.context, { clock: true });
      try {
        for (const name of names)
          for await (const run of client.runs.handle(name).watch()) {
            if (!isFinalRunStatus(run.status)) progress.update(`${name}: ${runStatusText(run)}`);
          }
      } finally {
        progress.clear();
      }
    }
    this.print(flags.abort ? 'Aborted' : 'Stopped');
  }
}

async function findRun(client: Dstack, name: string): Promise<Wire.Run> {
  try {
    return await client.runs.get(name);
  } catch (error) {
    if (!isDstackError(error, 'not-found')) throw error;
    throw new CliError(`Run ${name} not found.`, { hint: 'See the runs: dstack ps -a', cause: error });
  }
}
