import { nearest } from '../base/nearest.js';

export interface ParseProblem {
  readonly message: string;
  readonly hint: string;
}

/**
 * What is wrong with a command line that oclif does not take, in our words. Its classes are told apart by what they carry: a bundle may
 * rename them. Pure.
 */
export function parseProblem(error: Error, command: string): ParseProblem {
  const hint = `See the options: dstack ${command} --help`;
  const unknown = wordsOf(error, 'flags');
  if (unknown.length > 0) return unknownFlags(unknown, knownFlags(error), hint);
  const text = error.message.replace(/\nSee more help with --help$/, '');
  const missing = /^Missing \d+ required args?:\n(\S+) +(.*)/.exec(text);
  if (missing)
    return { message: `${missing[1]?.toUpperCase() ?? ''} is missing: ${lowerFirst(missing[2] ?? '')}.`, hint };
  const value = /^Parsing --(\S+) \n\t(Expected .*?) but received: (.*)$/s.exec(text);
  if (value) return { message: `--${value[1] ?? ''}: ${lowerFirst(value[2] ?? '')}, got ${value[3] ?? ''}.`, hint };
  const [clash] = /^The following errors? occurred:\n\s*(.*)$/s.exec(text)?.[1]?.split('\n') ?? [];
  const missingFlag = /^\s*Missing required flag (\S+)$/.exec(clash ?? '')?.[1];
  if (missingFlag !== undefined) return { message: `--${missingFlag} is missing.`, hint };
  return { message: clash === undefined ? text : withoutSwitchValues(clash), hint };
}

function unknownFlags(flags: readonly string[], known: readonly string[], hint: string): ParseProblem {
  const message = `There is no option ${flags.join(', ')}.`;
  const near = flags.length === 1 ? nearestFlag(flags[0] ?? '', known) : undefined;
  return near === undefined ? { message, hint } : { message, hint: `Did you mean ${near}? ${hint}` };
}

/** Who writes the beginning of one option means that one; of several, nobody knows which. */
function nearestFlag(flag: string, known: readonly string[]): string | undefined {
  const long = known.map((name) => `--${name}`);
  const begun = long.filter((each) => each.startsWith(flag));
  return begun.length === 1 ? begun[0] : nearest(flag, long);
}

function knownFlags(error: Error): string[] {
  const parse: unknown = 'parse' in error ? error.parse : undefined;
  const input: unknown = isObject(parse) ? parse['input'] : undefined;
  const flags: unknown = isObject(input) ? input['flags'] : undefined;
  return isObject(flags) ? Object.keys(flags) : [];
}

function wordsOf(error: Error, key: string): string[] {
  const value: unknown = key in error ? Object.entries(error).find(([name]) => name === key)?.[1] : undefined;
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** oclif says `--spot=true` of a switch that was given. */
function withoutSwitchValues(text: string): string {
  return `${text.trim().replace(/=true\b/g, '')}.`;
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
