import { SettingsError } from './settings-error.js';
import { type ChoiceOf, type NameOf, variable, type VariableName } from './variables.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** On whenever it exists, even empty. */
export function flag(env: Environment, name: NameOf<'flag'>): boolean {
  return env[name] !== undefined;
}

/** Undefined where it is empty too. */
export function text(env: Environment, name: NameOf<'text'>): string | undefined {
  return nonEmpty(env[name]) ?? (defaultOf(name) as string | undefined);
}

/** @throws {SettingsError} */
export function integer(env: Environment, name: NameOf<'integer'>): number {
  const given = nonEmpty(env[name]);
  if (given === undefined) return defaultOf(name) as number; // every integer has one (variables.spec.ts)
  if (!/^-?\d+$/.test(given)) throw new SettingsError(`${name} must be a whole number, not "${given}".`);
  return Number(given);
}

/** @throws {SettingsError} when a whole number is below zero: none of them means anything then */
export function refuseNegatives(env: Environment): void {
  for (const [name, given = ''] of Object.entries(env)) {
    const known = variable(name);
    // What has no effect here may be set for a server of Python dstack.
    if (known?.type === 'integer' && known.state === undefined && Number(given) < 0)
      throw new SettingsError(`${name} must be 0 or more, not ${given}.`);
  }
}

/** @throws {SettingsError} */
export function number(env: Environment, name: NameOf<'number'>): number {
  const given = nonEmpty(env[name]);
  if (given === undefined) return defaultOf(name) as number; // every number has one (variables.spec.ts)
  const value = Number(given);
  if (!Number.isFinite(value)) throw new SettingsError(`${name} must be a number, not "${given}".`);
  return value;
}

/** @throws {SettingsError} */
export function choice<Name extends NameOf<'choice'>>(env: Environment, name: Name): ChoiceOf<Name> {
  const known = variable(name);
  if (known?.type !== 'choice') throw new TypeError(`${name} is no choice`);
  const given = nonEmpty(env[name]) ?? known.default;
  const found = known.values.find((value) => value.toLowerCase() === given.toLowerCase());
  if (found === undefined)
    throw new SettingsError(`${name} must be one of ${known.values.join(', ')}, not "${given}".`);
  return found as ChoiceOf<Name>; // one of the values that the type is made of
}

function defaultOf(name: VariableName): string | number | undefined {
  const known = variable(name);
  return known !== undefined && 'default' in known ? known.default : undefined;
}

function nonEmpty(given: string | undefined): string | undefined {
  return given === '' ? undefined : given;
}
