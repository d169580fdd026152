import type { Command } from '@oclif/core/command';
import { COMMANDS } from './command-table.js';

type FlagLike = Command.Class['flags'][string];

/** The list of commands. Pure. */
export function rootHelp(version: string): string {
  const shown = Object.entries(COMMANDS).filter(([, entry]) => entry.hidden !== true);
  const width = Math.max(...shown.map(([id]) => id.length));
  return [
    `dstack ${version}: run dev environments, tasks and services on any machine`,
    '',
    'USAGE',
    '  dstack COMMAND [OPTIONS]',
    '',
    'COMMANDS',
    ...shown.map(([id, entry]) => `  ${id.padEnd(width)}  ${entry.summary}`),
    '',
    'Options of a command: dstack COMMAND --help',
  ].join('\n');
}

/** The commands of a group that is no command itself; undefined when there is none of this name. Pure. */
export function groupHelp(group: string): string | undefined {
  const inside = Object.entries(COMMANDS).filter(([id]) => id.startsWith(`${group} `));
  if (inside.length === 0) return undefined;
  const width = Math.max(...inside.map(([id]) => id.length));
  return [
    'USAGE',
    `  dstack ${group} COMMAND [OPTIONS]`,
    '',
    'COMMANDS',
    ...inside.map(([id, entry]) => `  ${id.padEnd(width)}  ${entry.summary}`),
  ].join('\n');
}

/** Usage, arguments and options of one command. Pure. */
export function commandHelp(id: string, command: Command.Class, onlyFlags?: ReadonlySet<string>): string {
  const args = Object.entries(command.args);
  const flags = Object.entries({ ...command.flags, ...command.baseFlags }).filter(
    ([name, flag]) => flag.hidden !== true && (onlyFlags === undefined || onlyFlags.has(name)),
  );
  const words = args.map(([name, arg]) => (arg.required ? name.toUpperCase() : `[${name.toUpperCase()}]`));
  const rows = flags.map(([name, flag]) => [flagForm(name, flag), flagText(flag)] as const);
  const left = Math.min(34, Math.max(...rows.map(([form]) => form.length)));
  const subcommands = Object.keys(COMMANDS).filter((each) => each.startsWith(`${id} `));
  return [
    command.summary ?? '',
    '',
    'USAGE',
    `  dstack ${[id, ...words, '[OPTIONS]'].join(' ')}`,
    ...(args.length > 0
      ? [
          '',
          'ARGUMENTS',
          ...args.map(([name, arg]) => `  ${name.toUpperCase().padEnd(left)}  ${arg.description ?? ''}`),
        ]
      : []),
    ...(subcommands.length > 0
      ? ['', 'COMMANDS', ...subcommands.map((each) => `  ${each.padEnd(left)}  ${COMMANDS[each]?.summary ?? ''}`)]
      : []),
    '',
    'OPTIONS',
    ...rows.map(([form, text]) => `  ${form.padEnd(left)}  ${text}`.trimEnd()),
    ...examples(command),
  ].join('\n');
}

function flagForm(name: string, flag: FlagLike): string {
  const value = flag.type === 'option' ? ` ${String(flag.helpValue ?? name.toUpperCase())}` : '';
  return `${flag.char ? `-${flag.char}, ` : '    '}--${name}${value}`;
}

function flagText(flag: FlagLike): string {
  const options = flag.type === 'option' && flag.options ? ` (${flag.options.join('|')})` : '';
  return `${flag.summary ?? ''}${options}`;
}

function examples(command: Command.Class): string[] {
  // oclif's type promises a list; a command that states none has undefined.
  const stated: Command.Class['examples'] | undefined = command.examples;
  const lines = (stated ?? []).filter((each) => typeof each === 'string');
  return lines.length === 0 ? [] : ['', 'EXAMPLES', ...lines.map((line) => `  $ ${line}`)];
}
