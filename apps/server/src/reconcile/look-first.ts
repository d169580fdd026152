import { BackendError } from '@dstack/backend-base';
import { arrivalMs, type CloudManners, mayStillArrive, mustLookFirst } from '@dstack/core';

/**
 * What an earlier create call has made whose answer nobody has heard; null: nothing, and none can any more, so it may be made again.
 * @throws {BackendError} while nobody can tell
 */
export async function lookFirst<Made>(
  what: 'machine' | 'volume',
  asked: { readonly askedAt: number | null },
  definition: CloudManners,
  now: number,
  findMade: () => Promise<Made | null>,
): Promise<Made | null> {
  if (!mustLookFirst(asked, definition)) return null;
  const found = await findMade();
  if (found === null && mayStillArrive(asked, arrivalMs(definition), now))
    throw new BackendError(
      { kind: 'outage', blocks: 'offer' },
      `the cloud does not tell yet whether the ${what} was made`,
    );
  return found;
}
