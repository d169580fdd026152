import type { z } from 'zod';
import { profileSchema } from '../profiles/profile-parameters.js';
import type * as Wire from '../wire/generated/api.js';
import type { ConfigurationIssue } from './issue.js';
import type { Parsed } from './parsed.js';
import { byKey, own } from './schema/choice.js';
import { mapping } from './schema/mapping.js';
import { defaulted, listOf, optional } from './schema/presence.js';
import { flag, oneOf, text } from './schema/scalars.js';
import { runSchema } from './schema/run-schema.js';
import { type ConfigurationType, runTypes, validateConfiguration } from './validate.js';
import { leaf } from './schema/leaf.js';
import { once } from './schema/once.js';

/** The body of a plan or apply of a run. */
export function parseRunSpecValue(value: unknown): Parsed<Wire.RunSpec> {
  return parseSpec(value, runSpecFields(), runTypes);
}

/** The body of a plan or apply of a fleet. */
export function parseFleetSpecValue(value: unknown): Parsed<Wire.FleetSpec> {
  return parseSpec(value, fleetSpecFields(), ['fleet']);
}

export function parseProfileValue(value: unknown): Parsed<Wire.Profile> {
  return runSchema(oneProfile(), value);
}

/** Fields and configuration are read on their own, so that the issues of both are told at once. */
function parseSpec<T extends { configuration: unknown }>(
  value: unknown,
  fields: z.ZodType<Omit<T, 'configuration'>>,
  types: readonly ConfigurationType[],
): Parsed<T> {
  const spec = runSchema(fields, value);
  const configuration = validateConfiguration(own(value, 'configuration'), types);
  if (spec.ok && configuration.ok)
    return { ok: true, value: { ...spec.value, configuration: configuration.value } as T };
  const ofFields = spec.ok ? [] : spec.issues;
  const inConfiguration = configuration.ok || typeof value !== 'object' || value === null ? [] : configuration.issues;
  const issues: ConfigurationIssue[] = [
    ...ofFields,
    ...inConfiguration.map((issue) => ({ ...issue, path: ['configuration', ...issue.path] })),
  ];
  // The form comes before the meaning: an answer is either 422 or 400.
  const schema = issues.filter((issue) => issue.kind === 'schema');
  return { ok: false, issues: schema.length > 0 ? schema : issues };
}

const oneProfile = once(profileSchema);

const unread = leaf({ type: 'object' }, (value) => value);

const runSpecFields = once((): z.ZodType<Omit<Wire.RunSpec, 'configuration'>> => {
  const nullableText = () => optional(text());
  const remote = mapping({
    repo_type: defaulted(oneOf(['remote']), () => 'remote' as const),
    repo_name: text(),
    repo_branch: nullableText(),
    repo_hash: nullableText(),
    // Sent by older clients; the diff itself travels on its own.
    repo_diff: nullableText(),
    repo_config_name: nullableText(),
    repo_config_email: nullableText(),
  }).transform(({ repo_diff: _diff, ...data }) => data);
  const local = mapping({ repo_type: defaulted(oneOf(['local']), () => 'local' as const), repo_dir: text() });
  const virtual = mapping({ repo_type: defaulted(oneOf(['virtual']), () => 'virtual' as const) });
  return mapping({
    run_name: nullableText(),
    repo_id: nullableText(),
    repo_data: optional(byKey('repo_type', { remote, local, virtual }, 'remote')),
    repo_code_hash: nullableText(),
    repo_dir: nullableText(),
    file_archives: defaulted(listOf(mapping({ id: text(), path: text() })), () => []),
    working_dir: nullableText(),
    configuration_path: nullableText(),
    configuration: unread,
    profile: optional(profileSchema()),
    ssh_key_pub: nullableText(),
  }).transform(({ configuration: _read, ...spec }) => spec);
});

const fleetSpecFields = once((): z.ZodType<Omit<Wire.FleetSpec, 'configuration'>> => {
  return mapping({
    configuration: unread,
    configuration_path: optional(text()),
    profile: profileSchema(),
    autocreated: defaulted(flag(), () => false),
  }).transform(({ configuration: _read, ...spec }) => spec);
});
