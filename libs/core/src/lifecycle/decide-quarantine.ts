import type { Instant } from './decision.js';

/** When an installation was last known to be alive, as one of its two memories tells. */
export interface LifeSign {
  readonly installationId: string;
  readonly lastAliveAt: Instant;
}

export interface LifeSigns {
  /** Null: nobody has worked with this database yet. */
  readonly database: LifeSign | null;
  /** Of the server's own directory; null: it was never one. */
  readonly directory: LifeSign | null;
  /** Several servers may use the database, each with a directory of its own. */
  readonly isShared: boolean;
}

/** Signs are given every few minutes; a database that is further behind than this was restored. */
const BEHIND_MS = 15 * 60_000;

/**
 * Why what is in the clouds may be younger than what the database knows, as a sentence; null: it is not. Whoever restored, copied or moved a
 * database has machines that it has never heard of, and they may be at work.
 */
export function whyQuarantined({ database, directory, isShared }: LifeSigns): string | null {
  if (database === null) return null;
  const isKnownHere = directory?.installationId === database.installationId;
  if (directory !== null && isKnownHere && database.lastAliveAt < directory.lastAliveAt - BEHIND_MS)
    return 'the database is older than what this server has done: it was restored';
  // A server that joins others has a new directory, and so has one in a container without a volume.
  if (isKnownHere || isShared) return null;
  return 'the database was copied or moved here';
}
