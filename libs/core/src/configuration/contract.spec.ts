import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse as parseYaml } from 'yaml';
import { parseProfileValue } from './run-spec.js';
import { editorSchema } from './editor-schema.js';
import { examples } from '../../test/examples.js';
import { parseConfigurationText, parseConfigurationValue } from './parse-configuration.js';

/** What the original's language accepts, against what ours does: no property, value or default may be missing. */
interface Property {
  readonly $ref?: string;
  readonly anyOf?: readonly Property[];
  readonly oneOf?: readonly Property[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly type?: string | readonly string[];
  readonly items?: Property;
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

const contract = JSON.parse(
  readFileSync(new URL('../../../../tools/contract/data/configuration.schema.json', import.meta.url), 'utf8'),
) as { $defs: Record<string, Property> };
const def = (ref: string): Property => contract.$defs[ref.replace('#/$defs/', '')] ?? {};

const validator = (schema: object): ValidateFunction => new Ajv({ strict: false, allErrors: true }).compile(schema);
const editor = validator(editorSchema());

const models = [
  ['DevEnvironmentConfiguration', { type: 'dev-environment' }],
  ['TaskConfiguration', { type: 'task', commands: ['x'] }],
  ['ServiceConfiguration', { type: 'service', port: 80, commands: ['x'] }],
  ['FleetConfiguration', { type: 'fleet', nodes: 1 }],
  ['GatewayConfiguration', { type: 'gateway', backend: 'aws', region: 'r' }],
  ['AWSVolumeConfiguration', { type: 'volume', backend: 'aws', region: 'r', size: 1 }],
  ['GCPVolumeConfiguration', { type: 'volume', backend: 'gcp', region: 'r', size: 1 }],
  ['RunpodVolumeConfiguration', { type: 'volume', backend: 'runpod', region: 'r', size: 1 }],
  ['KubernetesVolumeConfiguration', { type: 'volume', backend: 'kubernetes', size: 1 }],
  ['PresetConfiguration', { type: 'preset', model: 'm' }],
] as const;

describe.each(models)('%s', (name, base) => {
  const properties = Object.keys(def(name).properties ?? {});

  it('knows every property of the contract, and no other', () => {
    const value = {
      ...base,
      ...Object.fromEntries(properties.filter((key) => !(key in base)).map((key) => [key, [[]]])),
      surely_not: 1,
    };
    const parsed = parseConfigurationValue(value);
    const unknown = parsed.ok
      ? []
      : parsed.issues.filter((issue) => issue.unknownKey === true).map((issue) => issue.path.join('.'));
    expect(unknown).toEqual(['surely_not']);
  });

  it('writes the defaults of the contract', () => {
    const parsed = parseConfigurationValue(base);
    expect(parsed).toMatchObject({ ok: true });
    const written = (parsed.ok ? parsed.value : {}) as Record<string, unknown>;
    // Rewritten on the way out: groups leave under `replicas`; base and repo of a preset as its model.
    const rewritten = new Set(['groups', 'base', 'repo', 'availability_zone']);
    for (const [key, property] of Object.entries(def(name).properties ?? {})) {
      if (key in base || !('default' in property) || (rewritten.has(key) && !(key in written))) continue;
      expect([key, written[key]]).toEqual([key, property.default]);
    }
  });

  it('takes every value of every enumeration', () => {
    for (const [key, property] of Object.entries(def(name).properties ?? {})) {
      for (const value of enumerated(property)) {
        if (key in base) continue;
        const parsed = parseConfigurationValue({ ...base, [key]: value });
        const about = parsed.ok
          ? []
          : parsed.issues.filter((issue) => issue.path[0] === key && issue.kind === 'schema');
        expect([key, value, about]).toEqual([key, value, []]);
      }
    }
  });
});

it('a profile writes every field of the contract', () => {
  const parsed = parseProfileValue({ name: 'p' });
  const properties = def('Profile').properties ?? {};
  expect(parsed).toEqual({
    ok: true,
    value: {
      ...Object.fromEntries(Object.entries(properties).map(([key, property]) => [key, property.default])),
      name: 'p',
    },
  });
});

it.each(['ReplicaGroup', 'NodeGroup', 'ProbeConfig', 'ScalingSpec', 'RateLimit', 'ResourcesSpec', 'SSHParams'])(
  '%s knows every property of the contract',
  (name) => {
    const fields = Object.fromEntries(Object.keys(def(name).properties ?? {}).map((key) => [key, [[]]]));
    const holders: Readonly<Record<string, object>> = {
      ReplicaGroup: { type: 'service', port: 1, groups: [fields] },
      NodeGroup: { type: 'task', groups: [fields] },
      ProbeConfig: { type: 'service', port: 1, probes: [fields] },
      ScalingSpec: { type: 'service', port: 1, scaling: fields },
      RateLimit: { type: 'service', port: 1, rate_limits: [fields] },
      ResourcesSpec: { type: 'task', resources: fields },
      SSHParams: { type: 'fleet', ssh_config: fields },
    };
    const parsed = parseConfigurationValue(holders[name]);
    expect(parsed.ok ? [] : parsed.issues.filter((issue) => issue.unknownKey)).toEqual([]);
  },
);

describe.each(Object.entries(examples))('%s', (_name, text) => {
  it('is accepted by the parser and by the schema of editors', () => {
    expect(parseConfigurationText(text, { file: 'example' }).configuration).toBeDefined();
    editor(parseYaml(text, { merge: true }));
    expect(editor.errors ?? []).toEqual([]);
  });

  it('reads the same when it is read again from what it became', () => {
    const { configuration } = parseConfigurationText(text, { file: 'example' });
    expect(parseConfigurationValue(JSON.parse(JSON.stringify(configuration)))).toEqual({
      ok: true,
      value: configuration,
    });
    editor(configuration);
    expect(editor.errors ?? []).toEqual([]);
  });
});

it.each([
  ['an unknown key', { type: 'task', commands: ['x'], comands: [] }],
  ['an unknown type', { type: 'job' }],
  ['a port out of range', { type: 'task', ports: [70_000] }],
  ['a duration that cannot be', { type: 'task', max_duration: '1h30m' }],
])('editors mark %s', (_what, value) => {
  expect(editor(value)).toBe(false);
});

it('the schema that is shipped is the one of the parser', () => {
  const shipped: unknown = JSON.parse(readFileSync(new URL('../../dstack.schema.json', import.meta.url), 'utf8'));
  expect(shipped).toEqual(JSON.parse(JSON.stringify(editorSchema())));
});

function enumerated(property: Property): unknown[] {
  if (property.$ref !== undefined) return enumerated(def(property.$ref)).filter((value) => typeof value !== 'object');
  if (property.const !== undefined) return [property.const];
  if (property.enum !== undefined) return [...property.enum];
  if (property.items !== undefined) return enumerated(property.items).map((value) => [value]);
  return (property.anyOf ?? []).flatMap(enumerated);
}
