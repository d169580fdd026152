import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from '@oclif/core/command';
import { COMMANDS, findCommand, NOT_BUILT } from './base/command-table.js';
import { commandHelp, groupHelp, rootHelp } from './base/help.js';
import { nearest } from './base/nearest.js';
import { EXIT_USAGE } from './errors/cli-error.js';
import { describeError } from './errors/describe-error.js';
import { wantsColour } from './terminal/context.js';
import { createStyle } from './terminal/style.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs one command line and returns the exit code. Never throws. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', endOnClosedPipe);
  const [first] = argv;
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    const asked = first === 'help' ? findCommand(argv.slice(1)) : undefined;
    if (asked) return main([...asked.id.split(' '), '--help']);
    process.stdout.write(`${rootHelp(version())}\n`);
    return 0;
  }
  const found = findCommand(argv);
  if (!found) {
    const instead = Object.hasOwn(NOT_BUILT, first) ? NOT_BUILT[first] : undefined;
    if (instead !== undefined) {
      report(`dstack ${first} is not built yet.`, instead);
      return EXIT_USAGE;
    }
    const group = groupHelp(first);
    if (group !== undefined) {
      process.stdout.write(`${group}\n`);
      return argv.length === 1 || argv.includes('--help') || argv.includes('-h') ? 0 : EXIT_USAGE;
    }
    const near = nearest(first, Object.keys(COMMANDS));
    report(`There is no command ${first}.`, near ? `Did you mean: dstack ${near}` : 'See them all: dstack --help');
    return EXIT_USAGE;
  }
  try {
    // The table's modules export one command each; importing them typed would load them all.
    const command = (await found.entry.load()).default as Command.Class;
    const own = found.rest.includes('--') ? found.rest.slice(0, found.rest.indexOf('--')) : found.rest;
    if (own.includes('--help') || own.includes('-h')) {
      const extra =
        'helpFor' in command && typeof command.helpFor === 'function' ? (command.helpFor as HelpFor) : undefined;
      process.stdout.write(`${extra ? extra(own) : commandHelp(found.id, command)}\n`);
      return 0;
    }
    process.exitCode = undefined;
    await command.run(found.rest, { root: ROOT });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    return fail(error, found.id, found.rest);
  }
}

type HelpFor = (argv: readonly string[]) => string;

function fail(error: unknown, command: string, argv: readonly string[]): number {
  const told = describeError(error, command, process.env);
  if (process.env['DSTACK_CLI_LOG_LEVEL']?.toUpperCase() === 'DEBUG' && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`);
  if (told.message === '') return told.exitCode;
  if (argv.includes('--json') || argv.includes('--format=json')) {
    const body = { error: { code: told.code, message: told.message, hint: told.hint ?? null } };
    process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  } else {
    report(told.message, told.hint);
  }
  return told.exitCode;
}

function report(message: string, hint: string | undefined): void {
  const style = createStyle(wantsColour(process.env, process.stderr.isTTY));
  process.stderr.write(`${style.error(message)}\n${hint === undefined ? '' : `${hint}\n`}`);
}

/** `dstack logs … | head` closes our output: that is the reader's wish, not an error. */
function endOnClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  // Our own package.json.
  return (JSON.parse(text) as { version: string }).version;
}
