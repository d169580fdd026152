import { existsSync, readdirSync } from 'node:fs';
import type { DatabaseLocation } from '../../persistence/database-url.js';
import { OperationError } from '../operation-error.js';

/** What a restore puts together beside what is there, before it takes its place. */
export const STAGING = 'restoring-';

/**
 * A restore that was killed after it put the former state aside leaves a directory without a database. A start would begin anew there.
 * @throws {OperationError}
 */
export function refuseHalfRestored(serverDir: string, database: DatabaseLocation): void {
  if (database.dialect !== 'sqlite' || existsSync(database.path)) return;
  const staging = stagingIn(serverDir);
  if (staging.length === 0) return;
  throw new OperationError(
    `A restore into ${serverDir} was interrupted, and there is no database: run dstack server restore again. What was there before is in before-restore-… of that folder, if there was anything.`,
  );
}

/** Of restores that did not come to their end. */
export function stagingIn(serverDir: string): readonly string[] {
  return existsSync(serverDir) ? readdirSync(serverDir).filter((name) => name.startsWith(STAGING)) : [];
}
