/** The tables whose rows have a life of their own. */
export const RECONCILED_TABLES = [
  'runs',
  'jobs',
  'instances',
  'fleets',
  'volumes',
  'gateways',
  'gateway_replicas',
] as const;
export type ReconciledTable = (typeof RECONCILED_TABLES)[number];

/** A row a decision rested on: nothing is committed when it has moved since. */
export interface RestedOn {
  readonly table: ReconciledTable;
  readonly id: string;
  readonly rev: number;
}

export function ofEachTable<T>(make: (table: ReconciledTable) => T): Readonly<Record<ReconciledTable, T>> {
  return {
    runs: make('runs'),
    jobs: make('jobs'),
    instances: make('instances'),
    fleets: make('fleets'),
    volumes: make('volumes'),
    gateways: make('gateways'),
    gateway_replicas: make('gateway_replicas'),
  };
}
