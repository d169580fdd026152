import { createHash, randomUUID } from 'node:crypto';
import { ociCode } from './errors.js';

/**
 * Makes something that there is one of: whoever makes it at the same time, also another server, sends the same token and gets the same.
 * What was made with it and deleted since takes its token with it, for a day.
 */
export async function steadyToken<T>(parent: string, name: string, make: (token: string) => Promise<T>): Promise<T> {
  const token = createHash('sha256').update(`${parent}/${name}`).digest('hex').slice(0, 40);
  try {
    return await make(token);
  } catch (error) {
    if (ociCode(error) !== 'InvalidatedRetryToken') throw error;
    return make(randomUUID());
  }
}
