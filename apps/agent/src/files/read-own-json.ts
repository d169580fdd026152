import { constants } from 'node:fs';
import { open } from 'node:fs/promises';

/** Reads JSON that the other side of a shared directory wrote: never through a link or from a pipe. Undefined when absent or not JSON. */
export async function readOwnJson(path: string): Promise<unknown> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    try {
      return JSON.parse(await file.readFile('utf8')) as unknown;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
