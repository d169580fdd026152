import { ClientError } from '../http/api-errors.js';

/** @throws {ClientError} */
export function refuseDuplicates(names: readonly string[], noun: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new ClientError(`${noun} ${twice} is named twice`);
}
