import { ConfigurationError } from './configuration-error.js';
import type { EnvMap } from './fields/env.js';
import { semanticIssue } from './issue.js';

/** The names whose values have not been taken from an environment, sorted. */
export function unresolvedEnv(env: EnvMap): string[] {
  return Object.entries(env)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key]) => key)
    .sort();
}

/** Takes the value of each `KEY` without one from the given environment. @throws {ConfigurationError} naming those not in it. */
export function resolveEnvSentinels<C extends { env?: EnvMap | string[] }>(
  configuration: C,
  environment: Readonly<Record<string, string | undefined>>,
): C & { env: Record<string, string> } {
  const missing: string[] = [];
  const entries = Object.entries(asMap(configuration.env)).map(([key, value]): [string, string] => {
    if (typeof value === 'string') return [key, value];
    const found = Object.hasOwn(environment, value.key) ? environment[value.key] : undefined;
    if (found === undefined) missing.push(value.key);
    return [key, found ?? ''];
  });
  if (missing.length > 0) {
    throw new ConfigurationError(
      [...new Set(missing)]
        .sort()
        .map((name) =>
          semanticIssue(
            ['env', name],
            `environment variable ${name} is not set: export it or give a value with -e ${name}=VALUE`,
          ),
        ),
    );
  }
  return { ...configuration, env: Object.fromEntries(entries) };
}

const asMap = (env: EnvMap | string[] | undefined): EnvMap => (env === undefined || Array.isArray(env) ? {} : env);
