import { UsageError } from '../errors/cli-error.js';

/** `get` has one form: scripts that say so keep working when there is a second. */
export function requireJson(json: boolean): void {
  if (!json) throw new UsageError('The output of get is JSON only.', 'Pass --json.');
}

export function requireOne(name: string | undefined, id: string | undefined): { name: string } | { id: string } {
  if (name !== undefined && id !== undefined)
    throw new UsageError('Name and --id exclude each other.', 'Pass one of them.');
  if (id !== undefined) return { id };
  if (name !== undefined) return { name };
  throw new UsageError('Neither a name nor --id is given.', 'Pass one of them.');
}

/** `name` or `project/name`. */
export function parseReference(text: string): { project: string | undefined; name: string } {
  const parts = text.split('/');
  const [first = '', second] = parts;
  if (parts.length > 2 || first === '' || second === '')
    throw new UsageError(`${text} is no name.`, 'Write NAME or PROJECT/NAME.');
  return second === undefined ? { project: undefined, name: first } : { project: first, name: second };
}
