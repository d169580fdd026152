/** A token beside the one of a user, without its value. Beyond the contract. */
export interface TokenInfo {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
  /** Null: it does not expire. */
  readonly expires_at: string | null;
  readonly expired: boolean;
}

export interface NewToken extends TokenInfo {
  /** Told this once: the server keeps its hash. */
  readonly token: string;
}
