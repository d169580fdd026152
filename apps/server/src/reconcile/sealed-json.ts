import type { Sealing } from '../persistence/sealing.js';
import { readJson } from './stored-json.js';

/** Fields of specs whose values may be secrets that somebody wrote in the open. */
const SECRET_FIELDS: ReadonlySet<string> = new Set(['env', 'registry_auth', 'ssh_key', 'headers']);
const SEALED = '$sealed';

interface Holder {
  readonly sealing: Sealing;
}

/** JSON text with the fields that may hold secrets sealed; everything else can be read and searched in the database. */
export function writeSealed({ sealing }: Holder, value: unknown): string {
  return JSON.stringify(value, (key, field: unknown) =>
    SECRET_FIELDS.has(key) && holdsSomething(field) ? { [SEALED]: sealing.seal(JSON.stringify(field)) } : field,
  );
}

/** What `writeSealed` wrote, whole again. The type is a promise of the writer. */
export function readSealed<T>({ sealing }: Holder, text: string): T {
  const value = readJson<T>(text);
  if (text.includes(`"${SEALED}"`)) openFields(value, sealing);
  return value;
}

/** What stands before and after `SEALED_START` where `writeSealed` has sealed a field. Within a text quotes have a backslash before them. */
const SEALED_START = `{"${SEALED}":`;
const FIELD_BEFORE = /"(env|registry_auth|ssh_key|headers)":$/;
const VALUE_AFTER = /^("(?:[^"\\]|\\.)*")\}/;
const LONGEST_FIELD = '"registry_auth":'.length;

export type SecretField = 'env' | 'registry_auth' | 'ssh_key' | 'headers';

/**
 * The JSON text that `readSealed` would read, without reading it: many specifications are sent on as they are. `show` gives the JSON of a
 * sealed field.
 */
export function openText(
  { sealing }: Holder,
  text: string,
  show: (field: SecretField, open: () => string) => string,
): string {
  const [first = '', ...rest] = text.split(SEALED_START);
  let before = first;
  return rest.reduce((shown, after) => {
    const field = FIELD_BEFORE.exec(before.slice(-LONGEST_FIELD))?.[1] as SecretField | undefined;
    const sealed = VALUE_AFTER.exec(after)?.[1];
    before = after;
    if (field === undefined || sealed === undefined) return `${shown}${SEALED_START}${after}`;
    return shown + show(field, () => sealing.open(JSON.parse(sealed) as string)) + after.slice(sealed.length + 1);
  }, first);
}

function openFields(value: unknown, sealing: Sealing): void {
  if (typeof value !== 'object' || value === null) return;
  const fields = value as Record<string, unknown>;
  for (const [key, field] of Object.entries(fields)) {
    if (typeof field !== 'object' || field === null) continue;
    const sealed = SECRET_FIELDS.has(key) && SEALED in field ? field[SEALED] : undefined;
    if (typeof sealed === 'string') fields[key] = JSON.parse(sealing.open(sealed)) as unknown;
    else openFields(field, sealing);
  }
}

function holdsSomething(field: unknown): boolean {
  return typeof field === 'object' ? field !== null && Object.keys(field).length > 0 : field !== undefined;
}
