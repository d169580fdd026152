/** Who signed leases here before. */
export interface ServerLives {
  /** The one before this one, where it is proven that it does nothing any more. */
  former(): string | null;
  /** Before the first lease of this one. */
  begin(holder: string): void;
}

export const SERVER_LIVES = Symbol('ServerLives');

/** Nothing is known of anybody. */
export const FIRST_LIFE: ServerLives = { former: () => null, begin: () => undefined };
