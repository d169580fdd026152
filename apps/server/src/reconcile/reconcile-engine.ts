import { Inject, Injectable, Logger } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { EffectLimiter } from './effect-limiter.js';
import { forgetAllLives, forgetLife } from './forget-former-life.js';
import { LifeWatch } from './life-watch.js';
import { Notices } from './notices.js';
import type { NoticeRelay } from './postgres-notices.js';
import { ReconcileLoop } from './reconcile-loop.js';
import type { AnyReconciler } from './reconcile-pass.js';
import { ServerIdentity } from './server-identity.js';
import { SERVER_LIVES, type ServerLives } from './server-lives.js';

const EFFECTS_PER_ACCOUNT = 8;

/** Runs one loop per kind of resource. */
@Injectable()
export class ReconcileEngine {
  private readonly log = new Logger('Reconcile');
  private readonly stopping = new AbortController();
  private loops: ReconcileLoop[] = [];
  private relay: NoticeRelay | null = null;
  private watch: LifeWatch | null = null;

  constructor(
    private readonly db: Database,
    @Inject(WORLD) private readonly world: World,
    @Inject(Notices) private readonly notices: Notices,
    @Inject(ServerIdentity) private readonly me: ServerIdentity,
    @Inject(SERVER_LIVES) private readonly lives: ServerLives,
  ) {}

  async start(reconcilers: readonly AnyReconciler[]): Promise<void> {
    await this.beginLife();
    if (this.db.noticesUrl !== null) {
      const { relayNotices } = await import('./postgres-notices.js');
      this.relay = await relayNotices(this.db.noticesUrl, this.notices, (error) =>
        this.log.warn(
          `Notices from other replicas are late: ${error instanceof Error ? error.message : String(error)}`,
        ),
      );
    } else this.notices.hearReplicas(!this.db.isShared);
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
    if (this.db.isShared) this.watchOthers();
  }

  private watchOthers(): void {
    this.watch = new LifeWatch({
      db: this.db,
      world: this.world,
      notices: this.notices,
      holder: this.me.holder,
      onGone: (holder) =>
        this.log.warn(`Server ${holder} of this database is gone; its work goes on here and on the others`),
    });
    this.watch.start();
  }

  /** The former one is forgotten first: who dies in between has it forgotten by the next. */
  private async beginLife(): Promise<void> {
    const former = this.lives.former();
    if (!this.db.isShared) await this.db.write(forgetAllLives);
    else if (former !== null) await this.db.write((tx) => forgetLife(tx, former));
    this.lives.begin(this.me.holder);
  }

  async stop(): Promise<void> {
    this.stopping.abort(new Error('the server stops'));
    await Promise.allSettled(this.loops.map((loop) => loop.stop()));
    await this.watch?.stop();
    await this.relay?.stop();
  }
}
