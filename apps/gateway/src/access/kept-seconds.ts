/** A token that is revoked may open something for so long and a second more, where nginx did not hear of it. */
const LONGEST_S = 2;

export interface KeptQuestion {
  /** The service is for members only: what others show is none of this gateway's business, and never kept. */
  readonly auth: boolean;
  readonly isAdmitted: boolean;
  readonly now: number;
  /** Of the token, Unix ms; null: never. */
  readonly expiresAt: number | null;
  /** Until when the server's word holds, Unix ms. */
  readonly heldUntil: number;
}

/** For how many seconds nginx may answer the same question itself; it counts whole seconds, so one more may pass. 0: not at all. */
export function keptSeconds({ auth, isAdmitted, now, expiresAt, heldUntil }: KeptQuestion): number {
  if (!auth || !isAdmitted) return 0;
  const left = Math.floor((Math.min(expiresAt ?? Infinity, heldUntil) - now) / 1000) - 1;
  return Math.max(0, Math.min(LONGEST_S, left));
}
