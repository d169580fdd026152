import type { DatabaseLocation } from '@dstack/server/parts';

/** The argument of the replica program, as JSON. */
export interface ReplicaOptions {
  readonly database: DatabaseLocation;
  /** Of a server that is started again; by it the next one knows that this one is gone. */
  readonly serverDir?: string;
}

/** What a replica is told to do, one after the other. */
export type Order =
  /** Submits tasks of `nodes` nodes, `atOnce` requests under way at a time; answers when all are accepted. */
  | {
      readonly do: 'submit';
      readonly prefix: string;
      readonly count: number;
      readonly atOnce: number;
      readonly nodes: number;
    }
  | { readonly do: 'ask'; /** It takes a moment. */ readonly withConnected?: boolean }
  /** How many machines have a job, from an index: to ask often, beside the load that is measured. */
  | { readonly do: 'glance' }
  /** One transaction each that inserts a row and one that changes it, `atOnce` at a time. */
  | { readonly do: 'bare'; readonly count: number; readonly atOnce: number };

export interface Answer {
  /** Unix ms of the first request of `submit`; of the beginning of `bare`. */
  readonly startedAt: number;
  /** Milliseconds from there until all was done. */
  readonly elapsedMs: number;
  readonly state: ReplicaState;
}

export interface Failure {
  readonly failed: string;
}

/** The database and this replica, now. */
export interface ReplicaState {
  readonly runsRunning: number;
  readonly jobsRunning: number;
  readonly runsFailed: number;
  /** Machines that have a job. */
  readonly machinesBusy: number;
  /** Machines whose agent this replica has heard since its process started, and whose lease it holds. */
  readonly connected: number;
  /** Unix ms of the last change of a run's or a job's status. */
  readonly lastChangeAt: number;
  /** Write transactions since the process started. */
  readonly writes: number;
}
