import { isMap, isSeq, parseDocument, type Document, type YAMLMap } from 'yaml';
import { OperationError } from '../operation-error.js';

export interface WrittenKey {
  readonly name: string;
  /** Base64 of 32 bytes. */
  readonly secret: string;
}

export type KeyPlace = 'first' | 'last';

/** The text of `config.yml` with one more key; all else, comments too, stays as it is. Pure. */
export function withKey(text: string, { name, secret }: WrittenKey, place: KeyPlace): string {
  const document = parseDocument(text);
  const entry = document.createNode({ type: 'aes', name, secret });
  const keys = keysIn(document);
  if (keys === undefined) document.setIn(['encryption', 'keys'], document.createNode([entry]));
  else keys.splice(place === 'first' ? 0 : keys.length, 0, entry);
  return String(document);
}

/** With a key that is there moved to the first place. Pure. */
export function withFirstKey(text: string, name: string): string {
  const document = parseDocument(text);
  const keys = keysIn(document) ?? [];
  const [entry] = keys.splice(indexOf(keys, name), 1);
  if (entry !== undefined) keys.unshift(entry);
  return String(document);
}

export function hasKey(text: string, name: string): boolean {
  return (keysIn(parseDocument(text)) ?? []).some((key) => key.get('name') === name);
}

/** Without a key, and the secret it had. Pure. */
export function withoutKey(text: string, name: string): { readonly text: string; readonly secret: string } {
  const document = parseDocument(text);
  const keys = keysIn(document) ?? [];
  const [entry] = keys.splice(indexOf(keys, name), 1);
  if (keys.length === 0) document.deleteIn(['encryption', 'keys']);
  return { text: String(document), secret: String(entry?.get('secret')) };
}

function indexOf(keys: readonly YAMLMap[], name: string): number {
  const index = keys.findIndex((key) => key.get('name') === name);
  if (index < 0) throw new OperationError(`There is no key "${name}" in encryption.keys of config.yml.`);
  return index;
}

/** The file was parsed with the schema before: `keys` holds maps only. */
function keysIn(document: Document): YAMLMap[] | undefined {
  const keys = document.getIn(['encryption', 'keys'], true);
  if (!isSeq(keys)) return undefined;
  if (!keys.items.every(isMap))
    throw new OperationError('encryption.keys of config.yml uses aliases. Write its keys out, then try again.');
  return keys.items;
}
