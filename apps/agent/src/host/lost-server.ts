/** When the machine was last needed, in seconds since its boot: no clock that somebody sets. */
export interface Quiet {
  /** Without a server, and without a job, the machine powers itself off after this long. */
  readonly afterSeconds: number;
  readonly bootId: string;
  /** The last moment at which a server was connected or a job ran. */
  readonly sinceSeconds: number;
}

export interface Uptime {
  readonly bootId: string;
  readonly seconds: number;
}

/** A server that could not connect because there was no agent gets its chance. */
const CHANCE_SECONDS = 600;

/** Of an agent that has just started: what the one before it knew. */
export function resumeQuiet({ afterSeconds, bootId, sinceSeconds }: Quiet, now: Uptime): Quiet {
  // How long the machine was off nobody knows, and nobody paid for it.
  if (bootId !== now.bootId) return { afterSeconds, bootId: now.bootId, sinceSeconds: 0 };
  const chance = now.seconds - afterSeconds + Math.min(afterSeconds, CHANCE_SECONDS);
  return { afterSeconds, bootId, sinceSeconds: Math.max(sinceSeconds, chance) };
}

export function isServerLost({ afterSeconds, sinceSeconds }: Quiet, now: Uptime): boolean {
  return now.seconds - sinceSeconds >= afterSeconds;
}
