export interface CertificateFacts {
  /** Unix ms. Null: there is none. */
  readonly current: { readonly notBefore: number; readonly expiresAt: number } | null;
  /** In a row. */
  readonly failures: number;
  readonly lastFailure: { readonly at: number; readonly kind: AttemptFailure } | null;
}

/** `name`: nobody was asked, as the name leads nowhere; `limit`: the authority wants to be left alone. */
export type AttemptFailure = 'name' | 'limit' | 'other';

const MINUTE = 60_000;
const NAME_MS = 15_000;
const LIMIT_MS = 60 * MINUTE;
/** Authorities allow few failures an hour. */
const DELAYS_MS = [MINUTE / 2, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE];

/** When a certificate is to be asked for, at first or because two thirds of the time of the present one have passed. Unix ms; 0: at once. */
export function nextAttempt({ current, failures, lastFailure }: CertificateFacts): number {
  const wanted = current === null ? 0 : current.expiresAt - (current.expiresAt - current.notBefore) / 3;
  return Math.max(wanted, lastFailure === null ? 0 : lastFailure.at + delay(lastFailure.kind, failures));
}

function delay(kind: AttemptFailure, failures: number): number {
  if (kind === 'name') return NAME_MS;
  if (kind === 'limit') return LIMIT_MS;
  return DELAYS_MS[Math.min(failures, DELAYS_MS.length) - 1] ?? 0;
}
