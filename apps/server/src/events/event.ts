export type EventTargetType =
  'project' | 'user' | 'fleet' | 'instance' | 'run' | 'job' | 'volume' | 'gateway' | 'secret';

/** What an event is about. A user belongs to no project, everything else to one. */
export interface EventTarget {
  readonly type: EventTargetType;
  readonly id: string;
  readonly name: string;
  readonly projectId: string | null;
  /** Of runs and jobs. */
  readonly runId?: string;
  /** Of fleets, and of instances that have one. */
  readonly fleetId?: string;
}

export interface NewEvent {
  /** Past tense, one line, no full stop at the end. */
  readonly message: string;
  /** Null: the server itself. */
  readonly actorId: string | null;
  readonly targets: readonly [EventTarget, ...EventTarget[]];
}
