import type { Story } from '../story.js';
import type { ChangeLog } from './change-log.js';

/**
 * A lease that lives is ended by nobody but its holder, and taken by nobody; all of one holder may be, together, when nobody has heard of it for
 * seconds. Asked before each commit, of the transaction it ends.
 */
export class LeasesFence {
  constructor(
    private readonly log: ChangeLog,
    private readonly story: Story,
    /** Whether replicas share the database; else whoever starts clears away the leases of a former life. */
    private readonly isShared: boolean,
  ) {}

  beforeCommit(server: string, holder: string, now: number): void {
    const givenUp = this.log.takeGivenUp();
    for (const { what, holder: owner, expiresAt, isTaken } of this.log.takeLeases()) {
      if (owner !== null && givenUp.has(owner)) continue;
      if (owner === null) {
        const act = expiresAt === null ? 'gives back' : 'renews';
        this.story.violate(`${server} ${act} the lease of ${what}, which nobody has`);
        continue;
      }
      const isLive = expiresAt !== null && expiresAt > now;
      if (!isLive) continue;
      if (owner !== holder && this.isShared)
        this.story.violate(`${server} writes ${what}, which another server holds for ${expiresAt - now} ms more`);
      // A new epoch of one's own connection is how a broken one is replaced.
      else if (owner === holder && isTaken && !what.startsWith('the connection'))
        this.story.violate(`${server} takes ${what} twice`);
    }
  }
}
