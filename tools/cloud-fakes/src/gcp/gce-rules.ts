import { GoogleRefusal } from './google-refusal.js';

const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const LABEL = { key: /^[a-z][_\-a-z0-9]{0,62}$/, value: /^[_\-a-z0-9]{0,63}$/ };

/** @throws {GoogleRefusal} */
export function named(name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name;
  const message = `Invalid value for field 'resource.name': '${String(name)}'. Must be a match of regex '${NAME.source}'`;
  throw new GoogleRefusal(400, 'invalid', message);
}

/** @throws {GoogleRefusal} */
export function checkLabels(labels: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(labels)) {
    if (!LABEL.key.test(key) || !LABEL.value.test(value))
      throw new GoogleRefusal(400, 'invalid', `Invalid value for field 'resource.labels': '${key}=${value}'.`);
  }
}
