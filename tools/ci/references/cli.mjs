import { COMMANDS } from '../../../apps/cli/dist/base/command-table.js';
import { commandHelp } from '../../../apps/cli/dist/base/help.js';

/** Every command that is shown, with the text of its `--help`. */
export async function cliReference() {
  const lines = [
    '# Command line',
    '',
    '`dstack COMMAND --help` shows the same. A command ends with 0, with 1 when it fails, with 2 when the command line itself is wrong, with the exit code of the job where it waits for one, and with 130 when it is interrupted.',
    '',
  ];
  for (const [id, entry] of Object.entries(COMMANDS)) {
    if (entry.hidden === true) continue;
    const { default: command } = await entry.load();
    lines.push(`## dstack ${id}`, '', '```text', commandHelp(id, command).trim(), '```', '');
  }
  return lines;
}
