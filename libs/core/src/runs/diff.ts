export interface FieldChange {
  /** `configuration.env.PORT`, `configuration.groups.0.commands`. */
  readonly path: readonly (string | number)[];
  readonly before: unknown;
  readonly after: unknown;
}

/** Every leaf that differs. Null, undefined and absent are the same; lists of different length are one change. */
export function diffValues(before: unknown, after: unknown, path: readonly (string | number)[] = []): FieldChange[] {
  if (isSame(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => diffValues(item, after[index], [...path, index]));
  }
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => diffValues(before[key], after[key], [...path, key]));
  }
  return [{ path, before: before ?? null, after: after ?? null }];
}

export function isSame(a: unknown, b: unknown): boolean {
  if ((a ?? null) === (b ?? null)) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  if (!isRecord(a) || !isRecord(b)) return false;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => isSame(a[key], b[key]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// Their values may be passwords and tokens: a plan says that they change, never to what.
const SECRET_FIELDS: ReadonlySet<string | number> = new Set([
  'env',
  'registry_auth',
  'ssh_key',
  'ssh_key_pub',
  'private',
]);

/** `configuration.max_price: 1 → 2`, for plans and events. */
export function formatChange({ path, before, after }: FieldChange): string {
  const name = path.join('.');
  if (path.some((part) => SECRET_FIELDS.has(part))) return `${name}: changed`;
  return `${name}: ${formatValue(before)} → ${formatValue(after)}`;
}

const VALUE_LIMIT = 80;

function formatValue(value: unknown): string {
  if (value === null) return '(unset)';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const line = text.replace(/\s*\n\s*/g, ' ⏎ ');
  return line.length <= VALUE_LIMIT ? line : `${line.slice(0, VALUE_LIMIT - 1)}…`;
}
