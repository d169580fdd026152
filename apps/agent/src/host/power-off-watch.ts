import { readFile, rm } from 'node:fs/promises';
import { writeFileAtomically } from '../files/write-file-atomically.js';
import { isServerLost, type Quiet, resumeQuiet, type Uptime } from './lost-server.js';

export interface PowerOffWatchOptions {
  /** Where it is kept from one agent to the next. */
  readonly path: string;
  readonly uptime: () => Promise<Uptime>;
  /** A job runs, or is about to. */
  readonly isBusy: () => boolean;
  readonly powerOff: () => Promise<void>;
  readonly log: (text: string) => void;
}

const TICK_MAX_MS = 30_000;
const TICK_MIN_MS = 100;
/** Between two writes of what moves with every tick. */
const SAVED_FOR_SECONDS = 60;

/**
 * Powers the machine off when its server is gone for good, so that nobody pays for what nobody uses. Only a server that armed it makes it do
 * so; every sign of a server, and every job, begins the time anew.
 */
export class PowerOffWatch {
  private quiet: Quiet | null = null;
  private savedSeconds = 0;
  private connected = 0;
  private timer: NodeJS.Timeout | undefined;
  private isStopped = false;

  private constructor(private readonly options: PowerOffWatchOptions) {}

  static async open(options: PowerOffWatchOptions): Promise<PowerOffWatch> {
    const watch = new PowerOffWatch(options);
    const saved = await readFile(options.path, 'utf8').then(parse, () => null);
    if (saved !== null) watch.quiet = resumeQuiet(saved, await options.uptime());
    watch.plan();
    return watch;
  }

  /** Null: never. */
  async arm(afterSeconds: number | null): Promise<void> {
    if (afterSeconds === null) {
      this.quiet = null;
      await rm(this.options.path, { force: true });
    } else {
      const { bootId, seconds } = await this.options.uptime();
      this.quiet = { afterSeconds, bootId, sinceSeconds: seconds };
      await this.save(this.quiet);
    }
    this.plan();
  }

  /** As long as a server is connected. Returns how to say that it is gone. */
  enter(): () => void {
    this.connected += 1;
    let isLeft = false;
    return () => {
      if (isLeft) return;
      isLeft = true;
      this.connected -= 1;
      // From here on, not from the last tick.
      void this.touch();
    };
  }

  stop(): void {
    this.isStopped = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    clearTimeout(this.timer);
    if (this.quiet === null || this.isStopped) return;
    const tickMs = Math.min(TICK_MAX_MS, Math.max(TICK_MIN_MS, this.quiet.afterSeconds * 250));
    this.timer = setTimeout(() => {
      this.tick()
        .catch((error: unknown) => this.options.log(`the machine could not be powered off: ${String(error)}`))
        .finally(() => this.plan());
    }, tickMs);
    this.timer.unref();
  }

  private async tick(): Promise<void> {
    if (this.connected > 0 || this.options.isBusy()) return this.touch();
    const now = await this.options.uptime();
    const { quiet } = this;
    // Meanwhile one may have come.
    if (quiet === null || this.connected > 0 || !isServerLost(quiet, now)) return;
    this.options.log(`no server and no job for ${quiet.afterSeconds} seconds: the machine is powered off`);
    await this.options.powerOff();
  }

  private async touch(): Promise<void> {
    const { seconds } = await this.options.uptime();
    const { quiet } = this;
    if (quiet === null) return;
    this.quiet = { ...quiet, sinceSeconds: Math.max(quiet.sinceSeconds, seconds) };
    if (seconds - this.savedSeconds >= SAVED_FOR_SECONDS) await this.save(this.quiet);
  }

  /** A full disk costs some accuracy after a restart. */
  private async save(quiet: Quiet): Promise<void> {
    this.savedSeconds = quiet.sinceSeconds;
    await writeFileAtomically(this.options.path, JSON.stringify(quiet)).catch(() => undefined);
  }
}

function parse(text: string): Quiet | null {
  try {
    const { afterSeconds, bootId, sinceSeconds } = JSON.parse(text) as Partial<Quiet>;
    if (typeof afterSeconds !== 'number' || typeof bootId !== 'string' || typeof sinceSeconds !== 'number') return null;
    return { afterSeconds, bootId, sinceSeconds };
  } catch {
    return null;
  }
}
