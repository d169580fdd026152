/** What an operator should know though the server serves. */
export interface Readiness {
  readonly warnings: readonly string[];
}

export const READINESS = Symbol('Readiness');
