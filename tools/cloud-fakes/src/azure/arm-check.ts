import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

export type Part = 'compute' | 'network' | 'resources';

/** One for all: to compile the schemas takes longer than a test. */
let loaded: Ajv2020 | null = null;
const compiled = new Map<string, ValidateFunction>();

/**
 * What is wrong with what goes over the wire, compared with what Azure's own libraries write and read; null: nothing. The models are
 * `specs/azure-arm.json`, made by `scripts/azure-models.mjs`.
 */
export function compareWithModel(part: Part, model: string, value: unknown): string | null {
  const pointer = `${part}#/definitions/${model}`;
  const validate = compiled.get(pointer) ?? schemas().compile({ $ref: pointer });
  compiled.set(pointer, validate);
  return validate(value) ? null : `${model}: ${schemas().errorsText(validate.errors)}`;
}

function schemas(): Ajv2020 {
  if (loaded !== null) return loaded;
  const file = new URL('../../specs/azure-arm.json', import.meta.url);
  // Written by our own script.
  const specs = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<Part, object>>;
  loaded = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  for (const part of ['compute', 'network', 'resources'] as const) loaded.addSchema(specs[part], part);
  return loaded;
}
