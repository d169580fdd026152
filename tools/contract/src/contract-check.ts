import { readFileSync } from 'node:fs';
import Ajv, { type ValidateFunction } from 'ajv/dist/2020.js';

interface Document {
  readonly paths: Record<
    string,
    Record<string, { operationId: string; responses: Record<string, { content?: Record<string, { schema: object }> }> }>
  >;
  readonly components: { readonly schemas: Record<string, object> };
}

const data = new URL('../data/', import.meta.url);
const contract = JSON.parse(readFileSync(new URL('rest-api.json', data), 'utf8')) as Document;

/** All of the contract. */
export const operations = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, ...operation })),
);

export function operationOf(method: string, path: string): (typeof operations)[number] | undefined {
  return operations.find(
    (operation) =>
      operation.method === method && new RegExp(`^${operation.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(path),
  );
}

const ajv = new Ajv.default({ strict: false, allErrors: true, validateFormats: false });
ajv.addSchema({ $id: 'contract', components: contract.components });
const validators = new Map<string, ValidateFunction>();

function validatorOf(operationId: string, status: number): ValidateFunction | undefined {
  const operation = operations.find((candidate) => candidate.operationId === operationId);
  const schema = Object.values(operation?.responses[String(status)]?.content ?? {})[0]?.schema;
  if (schema === undefined) return undefined;
  const key = `${operationId} ${status}`;
  let validate = validators.get(key);
  if (validate === undefined) {
    const rooted = JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"contract#/components/')) as object;
    validate = ajv.compile(rooted);
    validators.set(key, validate);
  }
  return validate;
}

/** What the recording masked compares by kind; everything else by value. */
export function difference(expected: unknown, actual: unknown, path = ''): string | undefined {
  if (typeof expected === 'string' && isMasked(expected))
    return typeof actual === 'string' ? undefined : `${path}: expected a text, got ${JSON.stringify(actual)}`;
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length)
      return `${path}: expected ${expected.length} items, got ${JSON.stringify(actual)?.slice(0, 200)}`;
    return first(expected.map((item, index) => difference(item, actual[index], `${path}[${index}]`)));
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof actual !== 'object' || actual === null)
      return `${path}: expected an object, got ${JSON.stringify(actual)}`;
    return first(
      Object.entries(expected).map(([key, value]) =>
        key in actual
          ? difference(value, (actual as Record<string, unknown>)[key], `${path}.${key}`)
          : `${path}.${key} is missing`,
      ),
    );
  }
  return expected === actual
    ? undefined
    : `${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`;
}

function isMasked(text: string): boolean {
  return text.startsWith('<') || /^0{8}-0000-4000-8000-/.test(text) || text === '2026-01-02T03:04:05.678901Z';
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((item) => item !== undefined);
}

/** What is wrong with a reply by its schema; undefined when nothing is. */
export function schemaProblem(operationId: string | undefined, status: number, body: unknown): string | undefined {
  const validate = operationId === undefined ? undefined : validatorOf(operationId, status);
  if (validate === undefined || validate(withoutOurOwn(body))) return undefined;
  return `schema: ${ajv.errorsText(validate.errors)}`;
}

/** Fields that replies hold beyond the contract; its clients ignore what they do not know. */
const ADDITIVE = new Set([
  'runtime',
  'runtime_reason',
  'backend_display',
  'availability_reason',
  'rejections',
  'backend_warnings',
  'warnings',
  'price_date',
  'price_is_derived',
  'priced_at',
  'last_error',
  'progress',
  'deployment_note',
  'pending_reasons',
  'ready',
  'health_incidents',
  'status_display',
]);

/** Also without the fleet that this server makes by itself for runs that name none. */
export function withoutOurOwn(body: unknown): unknown {
  if (Array.isArray(body)) return body.filter((item) => !isDefaultFleet(item)).map(withoutOurOwn);
  if (typeof body !== 'object' || body === null) return body;
  // Gateways on hosts of one's own are ours.
  const isGateway = 'type' in body && body.type === 'gateway';
  const entries = Object.entries(body).filter(([key]) => !ADDITIVE.has(key) && !(isGateway && key === 'ssh_config'));
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutOurOwn(value)]));
}

function isDefaultFleet(item: unknown): boolean {
  if (typeof item !== 'object' || item === null || !('spec' in item)) return false;
  const { spec } = item;
  return typeof spec === 'object' && spec !== null && 'autocreated' in spec && spec.autocreated === true;
}
