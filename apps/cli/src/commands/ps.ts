import type { Dstack, Wire } from '@dstack/sdk';
import * as Flags from '@oclif/core/flags';
import { jsonFlags } from '../base/json-flags.js';
import { ProjectCommand } from '../base/project-command.js';
import { watchText } from '../base/watch.js';
import { UsageError } from '../errors/cli-error.js';
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
  return runs.length === 0 && !flags.all ? client.runs.list({ limit: 1 }) : runs;
}
