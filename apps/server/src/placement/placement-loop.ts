import { Inject, Injectable, Logger } from '@nestjs/common';
import { Notices } from '../reconcile/notices.js';
import type { Timer } from '../world/scheduler.js';
import { WORLD, type World } from '../world/world.js';
import { PlacementPass } from './placement-pass.js';

/** Submitted jobs whose notice was lost wait at most this long. */
const SWEEP_MS = 5_000;

/** Runs a pass whenever jobs were submitted or capacity became free; passes never overlap. */
@Injectable()
export class PlacementLoop {
  private readonly log = new Logger('Placement');
  private timer: Timer | null = null;
  private current: Promise<void> | null = null;
  private isDue = false;
  private hasNews = false;
  private isStopped = true;
  private stopListening: () => void = () => undefined;

  constructor(
    @Inject(PlacementPass) private readonly pass: PlacementPass,
    @Inject(Notices) private readonly notices: Notices,
    @Inject(WORLD) private readonly world: World,
  ) {}

  start(): void {
    this.isStopped = false;
    this.stopListening = this.notices.listen('placement', () => this.tell());
    this.tell();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.stopListening();
    this.timer?.cancel();
    await this.current;
  }

  private tell(): void {
    this.hasNews = true;
    this.poke();
  }

  private poke(): void {
    this.isDue = true;
    if (this.current === null && !this.isStopped) this.current = this.run().finally(() => this.rest());
  }

  private async run(): Promise<void> {
    this.timer?.cancel();
    while (this.isDue && !this.isStopped) {
      const { hasNews } = this;
      this.isDue = false;
      this.hasNews = false;
      try {
        await this.pass.run({ hasNews });
      } catch (error) {
        this.log.error(
          'A placement pass failed; the next one tries again',
          error instanceof Error ? error.stack : String(error),
        );
      }
    }
  }

  private rest(): void {
    this.current = null;
    if (this.isStopped) return;
    if (this.isDue) this.poke();
    else
      this.timer = this.world.scheduler.after(this.notices.sweepAfter(SWEEP_MS), () =>
        this.notices.missesReplicas ? this.tell() : this.poke(),
      );
  }
}
