import type { z } from 'zod';
import type * as Wire from '../wire/generated/api.js';
import { devEnvironmentSchema } from './dev-environment.js';
import { fleetSchema } from './fleet.js';
import { type GatewayConfiguration, gatewaySchema } from './gateway.js';
import { type ConfigurationIssue, firstIssues } from './issue.js';
import type { Parsed } from './parsed.js';
import { type PresetConfiguration, presetSchema } from './preset.js';
import { checkDevEnvironment } from './rules/dev-environment-rules.js';
import { checkFleet } from './rules/fleet-rules.js';
import { checkGateway } from './rules/gateway-rules.js';
import { checkPreset } from './rules/preset-rules.js';
import { checkService } from './rules/service-rules.js';
import { checkTask } from './rules/task-rules.js';
import { checkVolume } from './rules/volume-rules.js';
import { own } from './schema/choice.js';
import { closestName } from './schema/closest-name.js';
import { describe, kindOf } from './schema/kind.js';
import { once } from './schema/once.js';
import { runSchema } from './schema/run-schema.js';
import { serviceSchema } from './service.js';
import { taskSchema } from './task.js';
import { type VolumeConfiguration, volumeSchema } from './volume.js';

export type RunConfiguration = Wire.TaskConfiguration | Wire.DevEnvironmentConfiguration | Wire.ServiceConfiguration;
export type Configuration =
  RunConfiguration | Wire.FleetConfiguration | GatewayConfiguration | VolumeConfiguration | PresetConfiguration;
export type RunType = 'dev-environment' | 'task' | 'service';
export type ConfigurationType = RunType | 'fleet' | 'gateway' | 'volume' | 'preset';

interface Validator {
  readonly schema: z.ZodType;
  readonly validate: (value: unknown) => Parsed<Configuration>;
}

/** Schemas are built once, and only those that are used. */
const validators: Readonly<Record<ConfigurationType, () => Validator>> = {
  'dev-environment': lazily(devEnvironmentSchema, checkDevEnvironment),
  task: lazily(taskSchema, checkTask),
  service: lazily(serviceSchema, checkService),
  fleet: lazily(fleetSchema, checkFleet),
  gateway: lazily(gatewaySchema, checkGateway),
  volume: lazily(volumeSchema, checkVolume),
  preset: lazily(presetSchema, checkPreset),
};

export const runTypes = ['dev-environment', 'task', 'service'] as const satisfies readonly RunType[];
export const configurationTypes = [
  ...runTypes,
  'fleet',
  'gateway',
  'volume',
  'preset',
] as const satisfies readonly ConfigurationType[];

export function schemaOf(type: ConfigurationType): z.ZodType {
  return validators[type]().schema;
}

/** Validates a parsed value as one of the given types and normalises it. */
export function validateConfiguration(
  value: unknown,
  types: readonly ConfigurationType[] = configurationTypes,
): Parsed<Configuration> {
  if (kindOf(value) !== 'mapping')
    return rejected({
      kind: 'schema',
      path: [],
      message: `expected a mapping with a type, got ${describe(value)}`,
      expected: 'a mapping',
    });
  const given = own(value, 'type');
  const type = types.find((candidate) => candidate === given);
  if (type !== undefined) return validators[type]().validate(value);
  const expected = `one of ${types.join(', ')}`;
  const suggestion = typeof given === 'string' ? closestName(given, types) : undefined;
  const message =
    given === undefined ? `is required: expected ${expected}` : `expected ${expected}, got ${describe(given)}`;
  return rejected({
    kind: 'schema',
    path: ['type'],
    message,
    expected,
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

function lazily<T extends Configuration>(
  build: () => z.ZodType<T>,
  check: (value: T) => readonly ConfigurationIssue[],
): () => Validator {
  return once(() => {
    const schema = build();
    const validate = (value: unknown): Parsed<Configuration> => {
      const parsed = runSchema(schema, value);
      if (!parsed.ok) return parsed;
      const issues = firstIssues(check(parsed.value)).map((issue) => atWrittenKey(issue, value));
      return issues.length === 0 ? parsed : { ok: false, issues };
    };
    return { schema, validate };
  });
}

/** Groups may have been written under their older name, a list of `replicas`. */
function atWrittenKey(issue: ConfigurationIssue, value: unknown): ConfigurationIssue {
  const [first, ...rest] = issue.path;
  return first === 'groups' && !Array.isArray(own(value, 'groups')) ? { ...issue, path: ['replicas', ...rest] } : issue;
}

const rejected = (issue: ConfigurationIssue): Parsed<never> => ({ ok: false, issues: [issue] });
