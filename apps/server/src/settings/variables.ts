import type { Variable } from './variable.js';
import { VARIABLE_GROUPS } from './variable-groups.js';

type Groups = typeof VARIABLE_GROUPS;
type GroupOf = Groups[keyof Groups];
type AllOf<G> = G extends unknown ? { readonly [Name in keyof G]: G[Name] } : never;
type Intersection<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
type Variables = Intersection<AllOf<GroupOf>>;

export type VariableName = keyof Variables;

/** Names of the variables of a type. */
export type NameOf<Type extends Variable['type']> = {
  [Name in VariableName]: Variables[Name] extends { readonly type: Type } ? Name : never;
}[VariableName];

/** What a choice can be. */
export type ChoiceOf<Name extends VariableName> = Variables[Name] extends { readonly values: readonly (infer Value)[] }
  ? Value
  : never;

const ALL = new Map<string, Variable>(Object.values(VARIABLE_GROUPS).flatMap((group) => Object.entries(group)));

export function variable(name: string): Variable | undefined {
  return ALL.get(name);
}

/** What stands in variables that are not to be shown. */
export function secretValues(env: Readonly<Record<string, string | undefined>>): string[] {
  return [...ALL].flatMap(([name, { secret }]) => {
    const value = env[name];
    return secret === true && value !== undefined && value !== '' ? [value] : [];
  });
}

/** Such as are set, with what is wrong about it. Pure. */
export function warningsAbout(names: readonly string[]): string[] {
  // Names outside the contract are most likely typing errors.
  return names
    .filter((name) => name.startsWith('DSTACK_SERVER_') && !ALL.has(name))
    .map((name) => `${name} is not a setting of this server and has no effect.`);
}
