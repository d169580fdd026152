import { homedir } from 'node:os';
import { createStyle, type Style } from './style.js';

/** The world of a command: everything it may look at or write to besides the server. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly home: string;
  readonly stdoutIsTty: boolean;
  /** Both sides of a conversation are a terminal: the user can be asked. */
  readonly canAsk: boolean;
  readonly stderrIsTty: boolean;
  readonly style: Style;
  readonly errStyle: Style;
  width(): number;
  now(): number;
}

export function processContext(): CliContext {
  const env = process.env;
  const stdoutIsTty = process.stdout.isTTY;
  const stderrIsTty = process.stderr.isTTY;
  return {
    env,
    cwd: process.cwd(),
    home: env['HOME'] ?? homedir(),
    stdoutIsTty,
    canAsk: process.stdin.isTTY && stderrIsTty,
    stderrIsTty,
    style: createStyle(wantsColour(env, stdoutIsTty)),
    errStyle: createStyle(wantsColour(env, stderrIsTty)),
    width: () => terminalWidth(env, process.stdout.columns),
    now: () => Date.now(),
  };
}

/** https://no-color.org; FORCE_COLOR wins for pagers and CI logs. */
export function wantsColour(env: NodeJS.ProcessEnv, isTty: boolean): boolean {
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true;
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false;
  return isTty && env['TERM'] !== 'dumb';
}

/** Off a terminal a table is made for a reader of files: wide enough not to be cut. */
export function terminalWidth(env: NodeJS.ProcessEnv, columns: number | undefined): number {
  if (columns !== undefined && columns > 0) return columns;
  const told = Number(env['COLUMNS']);
  return Number.isInteger(told) && told >= 40 ? told : 200;
}
