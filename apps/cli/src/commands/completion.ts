import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Command } from '@oclif/core/command';
import { COMMANDS } from '../base/command-table.js';
import { ProjectCommand } from '../base/project-command.js';
import { readClientConfig } from '../client-config/client-config-file.js';
import { bashCompletion, type CompletedCommand, zshCompletion } from '../render/completion-script.js';

const NAME_KINDS = ['run', 'fleet', 'volume', 'gateway', 'secret', 'export', 'import', 'project'] as const;
/** A completion that takes longer is worse than none. */
const TIMEOUT_MS = 1_500;

export default class Completion extends ProjectCommand {
  static override summary = 'Print a shell completion script';
  static override examples = ['source <(dstack completion bash)', 'dstack completion zsh > "${fpath[1]}/_dstack"'];
  static override args = {
    shell: Args.string({ description: 'bash or zsh', options: ['bash', 'zsh'], required: false }),
  };
  static override flags = {
    names: Flags.string({ summary: 'Print names of a kind, for the script', options: [...NAME_KINDS], hidden: true }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Completion);
    if (flags.names !== undefined) {
      const names = await this.names(flags.names).catch((): string[] => []);
      this.print(names.join('\n'));
      return;
    }
    const commands: CompletedCommand[] = [];
    for (const [id, entry] of Object.entries(COMMANDS)) {
      // The table's modules export one command each.
      const command = (await entry.load()).default as Command.Class;
      const flagNames = Object.entries({ ...command.flags, ...command.baseFlags }).filter(
        ([, flag]) => flag.hidden !== true,
      );
      commands.push({ id, flags: flagNames.map(([name]) => `--${name}`), summary: entry.summary });
    }
    this.print(args.shell === 'zsh' ? zshCompletion(commands) : bashCompletion(commands));
  }

  private async names(kind: string): Promise<string[]> {
    if (kind === 'project') return (await readClientConfig(this.context.home)).projects.map((project) => project.name);
    const client = await this.connect({});
    const options = { timeoutMs: TIMEOUT_MS };
    switch (kind) {
      case 'run':
        return (await client.runs.list({ limit: 50 }, options)).map((run) => run.run_spec.run_name ?? '');
      case 'fleet':
        return (await client.fleets.list({}, options)).map((fleet) => fleet.name);
      case 'volume':
        return (await client.volumes.list(options)).map((volume) => volume.name);
      case 'gateway':
        return (await client.gateways.list({}, options)).map((gateway) => gateway.name);
      case 'secret':
        return (await client.secrets.list(options)).map((secret) => secret.name);
      case 'export':
        return (await client.exports.list(options)).map((each) => each.name);
      default:
        return (await client.imports.list(options)).map((each) => `${each.export.project_name}/${each.export.name}`);
    }
  }
}
