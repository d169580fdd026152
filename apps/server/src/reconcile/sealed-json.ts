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

/** A field that `writeSealed` has sealed, as JSON text has it: what stands within a text has a backslash before its quotes. */
const SEALED_FIELD = /"(env|registry_auth|ssh_key|headers)":\{"\$sealed":("(?:[^"\\]|\\.)*")\}/g;

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
  if (!text.includes(`"${SEALED}"`)) return text;
  return text.replace(SEALED_FIELD, (_all, field: SecretField, sealed: string) => {
    const open = (): string => sealing.open(JSON.parse(sealed) as string);
    return `"${field}":${show(field, open)}`;
  });
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
