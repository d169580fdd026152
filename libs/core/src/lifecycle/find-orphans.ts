/** A machine that a cloud lists as ours. */
export interface ListedFact {
  readonly machineId: string | null;
  readonly cloudName: string;
  /** Of the attempt that made it, where the cloud keeps it. */
  readonly token: string | null;
}

/** What the server knows of an attempt to make a machine; read after the cloud was asked for its list. */
export interface KnownAttempt {
  readonly cloudName: string;
  readonly token: string;
  /** Of the machine that its instance took; null: none, or its id is not known. */
  readonly machineId: string | null;
  /** The instance has come to its end, or the attempt has: what it made is nobody's. */
  readonly isOver: boolean;
}

export interface Orphan<Listed extends ListedFact> {
  readonly machine: Listed;
  readonly because: string;
}

/**
 * Machines that cost money and that no instance will ever terminate. An attempt is on disk before its machine can exist, so that a
 * machine without one is nobody's, however young it is.
 */
export function findOrphans<Listed extends ListedFact>(
  listed: readonly Listed[],
  attempts: readonly KnownAttempt[],
): Orphan<Listed>[] {
  return listed.flatMap((machine) => {
    const because = whyOrphan(machine, attempts);
    return because === null ? [] : [{ machine, because }];
  });
}

function whyOrphan({ machineId, cloudName, token }: ListedFact, attempts: readonly KnownAttempt[]): string | null {
  const mine = attempts.filter((attempt) => attempt.cloudName === cloudName || attempt.token === token);
  const open = mine.filter(({ isOver }) => !isOver);
  if (mine.length === 0) return 'no instance of this server is behind it';
  if (open.length === 0) return 'its instance has ended';
  const isTaken = open.every((attempt) => attempt.machineId !== null && attempt.machineId !== machineId);
  return isTaken ? 'its instance has another machine' : null;
}
