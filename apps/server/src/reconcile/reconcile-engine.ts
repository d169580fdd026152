import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { dropAllLeases } from './claims.js';
import { EffectLimiter } from './effect-limiter.js';
import { Notices } from './notices.js';
import { relayNotices, type NoticeRelay } from './postgres-notices.js';
import { RECONCILED_TABLES } from './reconciled-table.js';
import { ReconcileLoop } from './reconcile-loop.js';
import type { AnyReconciler } from './reconcile-pass.js';
import { ServerIdentity } from './server-identity.js';

const EFFECTS_PER_ACCOUNT = 8;

/** Runs one loop per kind of resource. */
@Injectable()
export class ReconcileEngine {
  private readonly log = new Logger('Reconcile');
  private readonly stopping = new AbortController();
  private loops: ReconcileLoop[] = [];
  private relay: NoticeRelay | null = null;

  constructor(
    private readonly db: Database,
    @Inject(WORLD) private readonly world: World,
    @Inject(Notices) private readonly notices: Notices,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
  ) {}

  async start(reconcilers: readonly AnyReconciler[]): Promise<void> {
    if (!this.db.isShared) await this.forgetFormerLife();
    if (this.db.noticesUrl !== null)
      this.relay = await relayNotices(this.db.noticesUrl, this.notices, (error) =>
        this.log.warn(`Notices from other replicas are late: ${String(error)}`),
      );
    const limiter = new EffectLimiter(EFFECTS_PER_ACCOUNT);
    this.loops = reconcilers.map(
      (reconciler) =>
        new ReconcileLoop(reconciler, {
          db: this.db,
          world: this.world,
          limiter,
          signal: this.stopping.signal,
          holder: this.me.holder,
          notices: this.notices,
          onError: (error, table, id) => {
            this.log.error(
              `A pass over ${table}${id === null ? '' : ` ${id}`} failed; it is tried again`,
              error instanceof Error ? error.stack : String(error),
            );
          },
        }),
    );
    for (const loop of this.loops) loop.start();
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the server stops'));
    await Promise.allSettled(this.loops.map((loop) => loop.stop()));
    await this.relay?.stop();
  }

  /** One process owns the database, so every lease in it is of a server that is gone. */
  private async forgetFormerLife(): Promise<void> {
    await this.db.write(async (tx) => {
      for (const table of RECONCILED_TABLES) await dropAllLeases(tx, table);
      // A host that was unreachable before the server stopped gets its full time again: nobody has tried meanwhile.
      await tx.execute(
        'UPDATE instances SET connection_holder = NULL, connection_expires_at = NULL, unreachable_since = NULL WHERE deleted = ?',
        [false],
      );
      await tx.execute('UPDATE leases SET expires_at = NULL, holder = NULL', []);
    });
  }
}
