import type * as Wire from '../wire/generated/api.js';
import { ConfigurationError } from './configuration-error.js';
import { type ConfigurationIssue, type IssuePath, semanticIssue } from './issue.js';
import { type Interpolation, interpolate } from './interpolation.js';
import type { RunConfiguration } from './validate.js';

export interface ClientValues {
  /** Values of `env` in registry_auth and probes. */
  readonly env: Readonly<Record<string, string>>;
  /** `${{ run.args }}` in commands: the arguments after `--`, quoted for the shell. */
  readonly runArgs: string;
}

/** The client's pass over a run: commands, init, registry_auth and probes. @throws {ConfigurationError} */
export function interpolateRunConfiguration<C extends RunConfiguration>(
  configuration: C,
  { env, runArgs }: ClientValues,
): C {
  const issues: ConfigurationIssue[] = [];
  const fill = (text: string, path: IssuePath, how: Interpolation): string => {
    const result = interpolate(text, how);
    if (result.ok) return result.text;
    for (const problem of result.problems) issues.push(semanticIssue(path, problem));
    if (result.missing.length > 0) issues.push(semanticIssue(path, unknownVariables(result.missing, how)));
    return text;
  };
  // Node addresses are filled in when they exist: escapes wait for that pass.
  const inCommand: Interpolation = {
    values: { run: { args: runArgs } },
    passThrough: ['groups'],
    escapes: 'keep',
  };
  // Secrets are filled in where the job starts.
  const inRequest: Interpolation = { values: { env }, passThrough: ['secrets'], escapes: 'keep' };
  const commands = (lines: readonly string[] | undefined, path: IssuePath): string[] =>
    (lines ?? []).map((line, index) => fill(line, [...path, index], inCommand));
  const probe = (given: Wire.ProbeConfig, index: number): Wire.ProbeConfig => ({
    ...given,
    url: maybe(given.url, (text) => fill(text, ['probes', index, 'url'], inRequest)),
    body: maybe(given.body, (text) => fill(text, ['probes', index, 'body'], inRequest)),
    headers: (given.headers ?? []).map((header, at) => ({
      ...header,
      value: fill(header.value, ['probes', index, 'headers', at, 'value'], inRequest),
    })),
  });

  const result: C = { ...configuration };
  if ('commands' in result) result.commands = commands(result.commands, ['commands']);
  if ('init' in result) result.init = commands(result.init, ['init']);
  if ('groups' in result && Array.isArray(result.groups)) {
    result.groups = result.groups.map((group, index) => ({
      ...group,
      commands: commands(group.commands, ['groups', index, 'commands']),
    }));
  }
  if ('replicas' in result && Array.isArray(result.replicas)) {
    result.replicas = result.replicas.map((group, index) => ({
      ...group,
      commands: commands(group.commands, ['groups', index, 'commands']),
    }));
  }
  if ('probes' in result && Array.isArray(result.probes)) result.probes = result.probes.map(probe);
  const auth = result.registry_auth ?? null;
  if (auth !== null) {
    result.registry_auth = {
      username: fill(auth.username, ['registry_auth', 'username'], inRequest),
      password: fill(auth.password, ['registry_auth', 'password'], inRequest),
    };
  }
  if (issues.length > 0) throw new ConfigurationError(issues);
  return result;
}

const KNOWN_SHOWN = 10;

function unknownVariables(missing: readonly string[], { values }: Interpolation): string {
  const known = Object.entries(values).flatMap(([space, names]) =>
    Object.keys(names).map((name) => `${space}.${name}`),
  );
  const told = known.length > 0 && known.length <= KNOWN_SHOWN ? `; there is ${known.join(', ')}` : '';
  return `unknown variables: ${missing.join(', ')}${told}`;
}

function maybe(text: string | null | undefined, read: (text: string) => string): string | null {
  return text === null || text === undefined ? null : read(text);
}
