/** Servers say that they live this often. */
export const SERVER_BEAT_MS = 1_000;
/** One that was silent for so long, while its database was not, is gone or as good as gone: what it had is fenced. */
const QUIET_MS = 5_000;
/** Who looked seldom – it was paused, or the database did not answer – cannot tell the silence of others from its own. */
const LEAST_LOOKS = 4;

export interface WatchedLife {
  readonly beats: number;
  /** Milliseconds of the clock of who looks. */
  readonly since: number;
  /** How often this number was seen. */
  readonly looks: number;
}

export interface LivesWatched {
  readonly lives: ReadonlyMap<string, WatchedLife>;
  readonly quiet: readonly string[];
}

/**
 * After one more look at the others' beats.
 * @param known what the looks before this one left
 * @param seen beats by holder
 * @param now milliseconds of the clock of who looks, which only rises
 */
export function watchLives(
  known: ReadonlyMap<string, WatchedLife>,
  seen: ReadonlyMap<string, number>,
  now: number,
): LivesWatched {
  const lives = new Map<string, WatchedLife>();
  const quiet: string[] = [];
  for (const [holder, beats] of seen) {
    const before = known.get(holder);
    const life =
      before?.beats === beats
        ? { beats, since: before.since, looks: before.looks + 1 }
        : { beats, since: now, looks: 1 };
    lives.set(holder, life);
    if (now - life.since >= QUIET_MS && life.looks >= LEAST_LOOKS) quiet.push(holder);
  }
  return { lives, quiet };
}
