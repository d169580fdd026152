import { type Dstack, isDstackError, type Wire } from '@dstack/sdk';
import * as Flags from '@oclif/core/flags';
import { jsonFlags } from '../base/json-flags.js';
import { ProjectCommand } from '../base/project-command.js';
import { watchText } from '../base/watch.js';
import { CliError, UsageError } from '../errors/cli-error.js';
import { runsTable } from '../render/runs-table.js';

const PAGE = 100;

export default class Ps extends ProjectCommand {
  static override summary = 'List runs: the active ones, or else the latest';
  static override enableJsonFlag = true;
  static override examples = ['dstack ps', 'dstack ps -a --json', 'dstack ps -w'];
  static override flags = {
    ...jsonFlags,
    all: Flags.boolean({ char: 'a', summary: 'Also show finished runs' }),
    verbose: Flags.boolean({ char: 'v', summary: 'Show resources, instance types, probes and errors' }),
    watch: Flags.boolean({ char: 'w', summary: 'Go on showing the runs as they change' }),
    last: Flags.integer({ char: 'n', summary: 'Show the last N runs', min: 1, max: PAGE - 1 }),
  };

  async run(): Promise<{ project: string; runs: Wire.Run[] }> {
    const { flags } = await this.parse(Ps);
    const client = await this.connect(flags);
    if (flags.watch && this.jsonEnabled())
      throw new UsageError('--watch cannot be combined with --json.', 'Leave one of them out.');
    const load = () => selectRuns(client, flags);
    const draw = (runs: Wire.Run[]) =>
      runsTable(runs, {
        nowMs: this.context.now(),
        width: this.context.width(),
        style: this.context.style,
        verbose: flags.verbose,
        serverUrl: client.url,
      });
    if (flags.watch) {
      await watchText(this.context, async () => draw(await load()));
      return { project: client.project, runs: [] };
    }
    const runs = await load();
    this.print(draw(runs));
    return { project: client.project, runs };
  }
}

async function selectRuns(client: Dstack, flags: { all: boolean; last?: number | undefined }): Promise<Wire.Run[]> {
  if (flags.last !== undefined) return client.runs.list({ limit: flags.last });
  const runs = await client.runs.list({ only_active: !flags.all, limit: PAGE });
  if (runs.length > 0) return runs;
  const latest = flags.all ? [] : await client.runs.list({ limit: 1 });
  if (latest.length === 0) await requireProject(client);
  return latest;
}

/** A list of runs is empty, too, in a project that is not there or is none of the user's. */
async function requireProject(client: Dstack): Promise<void> {
  const { project, url } = client;
  try {
    await client.projects.get(project);
  } catch (error) {
    if (isDstackError(error, 'not-found'))
      throw new CliError(`There is no project ${project} at ${url}.`, {
        hint: 'Yours: dstack project list -v',
        cause: error,
      });
    if (isDstackError(error, 'forbidden'))
      throw new CliError(`You are no member of the project ${project} at ${url}.`, {
        hint: 'Ask an admin of the project to add you.',
        cause: error,
      });
    throw error;
  }
}
