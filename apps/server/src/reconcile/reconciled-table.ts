/** The tables whose rows have a life of their own. */
export const RECONCILED_TABLES = ['runs', 'jobs', 'instances', 'fleets', 'volumes'] as const;
export type ReconciledTable = (typeof RECONCILED_TABLES)[number];

/** A row a decision rested on: nothing is committed when it has moved since. */
export interface RestedOn {
  readonly table: ReconciledTable;
  readonly id: string;
  readonly rev: number;
}
