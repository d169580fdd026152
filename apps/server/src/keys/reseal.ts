import type { Keyring } from './keyring.js';
import type { SealedForm } from './sealed-columns.js';

/** A sealed field within JSON text: what stands in a text of its own has a backslash before its quotes. */
const SEALED_FIELD = /"\$sealed":("(?:[^"\\]|\\.)*")/g;

/** The encrypted values that a column's text holds. */
export function sealedValues(text: string, form: SealedForm): string[] {
  if (form === 'text') return [text];
  return [...text.matchAll(SEALED_FIELD)].map(([, value = '""']) => JSON.parse(value) as string);
}

/**
 * The same text with its values encrypted with the first key; those that are stay as they are, and so do those that no key opens. Pure but
 * for nonces.
 */
export function reseal(text: string, form: SealedForm, keyring: Keyring): string {
  const again = (value: string): string => {
    const key = keyring.keyOf(value);
    return key === null || key === keyring.primaryName ? value : keyring.encrypt(keyring.decrypt(value));
  };
  if (form === 'text') return again(text);
  return text.replaceAll(
    SEALED_FIELD,
    (_all, value: string) => `"$sealed":${JSON.stringify(again(JSON.parse(value) as string))}`,
  );
}
