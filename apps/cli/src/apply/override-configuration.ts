import { UsageError } from '../errors/cli-error.js';
import { mergePorts } from './merge-ports.js';
import type { RunFlagValues } from './run-flags.js';

/** A configuration as JSON, before or after it was expanded. */
export type ConfigurationValue = Readonly<Record<string, unknown>>;

const ENV_ASSIGNMENT = /^([a-zA-Z_][a-zA-Z0-9_]*)(=([\s\S]*))?$/;

/** The configuration with what the command line says in the place of what the file says. Pure. */
export function overrideConfiguration(configuration: ConfigurationValue, flags: RunFlagValues): ConfigurationValue {
  const changes: Record<string, unknown> = {
    name: flags.name,
    max_price: flags['max-price'],
    max_duration: flags['max-duration'],
    backends: nonEmpty(flags.backend),
    regions: nonEmpty(flags.region),
    instance_types: nonEmpty(flags['instance-type']),
    fleets: nonEmpty(flags.fleet),
    creation_policy: flags.reuse ? 'reuse' : undefined,
    idle_duration: flags['dont-destroy'] ? 'off' : flags['idle-duration'],
    spot_policy: spotPolicy(flags),
    retry: retry(flags),
    env: flags.env && flags.env.length > 0 ? mergeEnv(configuration['env'], flags.env) : undefined,
    ports: flags.port && flags.port.length > 0 ? mergePorts(configuration['ports'], flags.port) : undefined,
    resources: resources(configuration['resources'], flags),
  };
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  return { ...configuration, ...given };
}

function spotPolicy(flags: RunFlagValues): string | undefined {
  if (flags.spot) return 'spot';
  if (flags['on-demand']) return 'on-demand';
  return flags['spot-auto'] ? 'auto' : flags['spot-policy'];
}

function retry(flags: RunFlagValues): unknown {
  if (flags.retry) return true;
  if (flags['no-retry']) return false;
  const duration = flags['retry-duration'];
  return duration === undefined ? undefined : { duration };
}

function resources(before: unknown, flags: RunFlagValues): unknown {
  const { cpu, gpu, memory, disk } = flags;
  const changes = Object.fromEntries(
    Object.entries({ cpu, gpu, memory, disk }).filter(([, value]) => value !== undefined),
  );
  if (Object.keys(changes).length === 0) return undefined;
  return { ...(isRecord(before) ? before : {}), ...changes };
}

/** Environment in any of its forms, as a mapping; a variable without a value is `{key: NAME}` until it is looked up. */
export function envMapping(env: unknown): Record<string, unknown> {
  if (Array.isArray(env)) return Object.fromEntries(env.map((item) => envEntry(String(item))));
  return isRecord(env) ? { ...env } : {};
}

function mergeEnv(before: unknown, flags: readonly string[]): Record<string, unknown> {
  return { ...envMapping(before), ...Object.fromEntries(flags.map(envEntry)) };
}

function envEntry(text: string): [string, unknown] {
  const match = ENV_ASSIGNMENT.exec(text);
  if (!match)
    throw new UsageError(`${text} is no environment variable.`, 'Write KEY=VALUE, or KEY to take your own value.');
  const [, key = '', assigned, value = ''] = match;
  return [key, assigned === undefined ? { key } : value];
}

function nonEmpty(list: readonly string[] | undefined): readonly string[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
