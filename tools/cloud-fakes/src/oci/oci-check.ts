import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

interface Operation {
  readonly query: readonly string[];
  readonly request?: string;
  readonly response?: string;
  readonly isList?: boolean;
}

// Written by our own script from Oracle's libraries: `scripts/oci-models.mjs`.
const SPEC = JSON.parse(readFileSync(new URL('../../specs/oci.json', import.meta.url), 'utf8')) as {
  readonly operations: Readonly<Record<string, Operation>>;
};

const TEMPLATES = Object.keys(SPEC.operations).map((key) => {
  const [method = '', template = ''] = key.split(' ');
  const pattern = new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`);
  return { key, method, pattern };
});

export interface KnownOperation {
  /** As Oracle's libraries have it: `GET /20160918/instances/{instanceId}`. */
  readonly key: string;
  /** What stands for the names in the path, in their order. */
  readonly parts: readonly string[];
}

/** Null: there is none in what is used. */
export function findOperation(method: string, path: string): KnownOperation | null {
  for (const template of TEMPLATES) {
    const match = template.method === method ? template.pattern.exec(path) : null;
    if (match !== null) return { key: template.key, parts: match.slice(1).map(decodeURIComponent) };
  }
  return null;
}

/** Whether the operation's list comes in pages. */
export function hasPages(key: string): boolean {
  const { isList, query } = SPEC.operations[key] ?? {};
  return isList === true && query?.includes('page') === true;
}

let ajv: Ajv2020 | null = null;
const compiled = new Map<string, ValidateFunction>();

/** What Oracle's libraries would not send. */
export function wrongRequest(key: string, query: URLSearchParams, body: unknown): string[] {
  const operation = SPEC.operations[key];
  const unknown = [...query.keys()].filter((name) => operation?.query.includes(name) !== true);
  const wrong = operation?.request === undefined ? null : compare(operation.request, body);
  return [...unknown.map((name) => `${key} has no ${name}`), ...(wrong === null ? [] : [`${key}: ${wrong}`])];
}

/** What Oracle's libraries would not read; null: nothing. */
export function wrongResponse(key: string, body: unknown): string | null {
  const { response, isList } = SPEC.operations[key] ?? {};
  if (response === undefined) return null;
  if (!isList) return compare(response, body);
  if (!Array.isArray(body)) return `${key}: no list`;
  return body.map((each) => compare(response, each)).find((wrong) => wrong !== null) ?? null;
}

function compare(model: string, value: unknown): string | null {
  if (ajv === null) {
    ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    ajv.addSchema(SPEC, 'oci');
  }
  const validate = compiled.get(model) ?? ajv.compile({ $ref: `oci#/definitions/${model}` });
  compiled.set(model, validate);
  return validate(value) ? null : `${model}: ${ajv.errorsText(validate.errors)}`;
}
