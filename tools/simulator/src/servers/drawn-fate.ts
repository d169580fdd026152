import type { SqliteConnection } from '@dstack/server/parts';
import type { Faults } from '../faults.js';
import type { RandomSource } from '../random-source.js';
import type { Fate } from './server-epoch.js';

/** When servers crash and stand still: by chance, or once, at a point that is given. */
export class DrawnFate implements Fate {
  crashes = 0;
  freezes = 0;
  /** How many points `crashAt` may name; counted only when it is given. */
  crashPoints = 0;
  private crashVersion = -1;

  constructor(
    private readonly random: RandomSource,
    private readonly faults: Faults,
    private readonly connection: SqliteConnection,
    /** Instead of crashes by chance: one, at the n-th point that leaves the world in another state than the point before it; 0: none. */
    private readonly crashAt: number | undefined,
  ) {}

  isCrashDue(point: string): boolean {
    const { crashAt } = this;
    if (crashAt !== undefined) {
      if (!this.leavesTheWorldAnew(point)) return false;
      this.crashPoints += 1;
      this.crashes += Number(this.crashPoints === crashAt);
      return this.crashPoints === crashAt;
    }
    if (this.crashes >= this.faults.maxCrashes || !this.random.chance(this.faults.crash)) return false;
    this.crashes += 1;
    return true;
  }

  freezeMs(): number | null {
    if (this.freezes >= this.faults.maxFreezes || !this.random.chance(this.faults.freeze)) return null;
    this.freezes += 1;
    return this.random.between(1_000, 90_000);
  }

  /** Whoever dies while reading, or before asking or committing, leaves what there was after the last write or effect. */
  private leavesTheWorldAnew(point: string): boolean {
    if (point.startsWith('between ')) return true;
    if (point !== 'after a write') return false;
    const version = this.totalChanges;
    const isNew = version !== this.crashVersion;
    this.crashVersion = version;
    return isNew;
  }

  private get totalChanges(): number {
    const [row] = this.connection.prepare('SELECT total_changes() AS n').all() as { readonly n: number }[]; // one row, always
    return row?.n ?? 0;
  }
}
