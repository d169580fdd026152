import { parse } from 'yaml';

/** Values that tell nothing that has to be kept. */
const OPEN = new Set(['type', 'name', 'regions', 'region', 'default_permissions', 'vpc_ids', 'runtime']);

/** `config.yml` with its shape, and without the values that could be secrets. Pure. */
export function redactConfig(text: string): unknown {
  try {
    return redact(parse(text), false);
  } catch {
    return '(no YAML)';
  }
}

function redact(value: unknown, isOpen: boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => redact(each, isOpen));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, redact(each, isOpen || OPEN.has(key))]));
  if (isOpen || typeof value === 'boolean' || value === null) return value;
  return '(hidden)';
}
