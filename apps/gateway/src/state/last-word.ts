import type { StateFile } from './state-file.js';

/** How often it is written down. */
const KEPT_MS = 30_000;

/** When the server was last heard of, and for how long its word holds. */
export class LastWord {
  private heardAt = 0;
  private keptAt = 0;
  /** Milliseconds. */
  holdMs = 0;

  constructor(
    private readonly file: StateFile,
    private readonly now: () => number,
  ) {}

  get at(): number {
    return this.heardAt;
  }

  get heldUntil(): number {
    return this.heardAt + this.holdMs;
  }

  /** Nobody knows any more whose token still holds. */
  get isStale(): boolean {
    return this.now() > this.heldUntil;
  }

  heard(): void {
    this.heardAt = this.now();
  }

  /** A restart is no word of the server. */
  async read(): Promise<void> {
    this.heardAt = await this.file.readHeardAt();
    this.keptAt = this.heardAt;
  }

  async keep(): Promise<void> {
    const { heardAt } = this;
    if (heardAt - this.keptAt < KEPT_MS) return;
    this.keptAt = heardAt;
    await this.file.writeHeardAt(heardAt);
  }
}
