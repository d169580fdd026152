/**
 * - `no-capacity`: the cloud has none of it now
 * - `quota`: the account may not have (more of) it
 * - `credentials`: rejected or missing permission
 * - `throttled`: too many requests
 * - `not-found`: something the request names (image, network, zone) does not exist
 * - `rejected`: the request is invalid; repeating it cannot help
 * - `outage`: the cloud failed or did not answer; the outcome is unknown
 */
export type FailureKind = 'no-capacity' | 'quota' | 'credentials' | 'throttled' | 'not-found' | 'rejected' | 'outage';

/** What the placement pass may stop trying because of the failure, from narrow to wide. */
export type FailureScope = 'offer' | 'zone' | 'region' | 'account';

export interface Failure {
  readonly kind: FailureKind;
  readonly blocks: FailureScope;
  /** Milliseconds since the epoch; only when the cloud told us. */
  readonly retryAt?: number;
  /** An earlier try of the same call had no answer: it may have been carried out, whatever this one was refused for. */
  readonly afterLostTry?: true;
}
