import type { Idempotency } from '@dstack/backend-base';
import type { Faults } from './faults.js';

/** What a cloud makes of a create call that is sent twice. */
export type IdempotencyKind = Idempotency['kind'];
export const IDEMPOTENCY_KINDS: readonly IdempotencyKind[] = ['token', 'name', 'lookup'];

export interface SimulationOptions {
  readonly seed: number;
  /** Tasks per project. */
  readonly runs?: number;
  /** Services per project. */
  readonly services?: number;
  /** Gateways per project, each with services behind it. */
  readonly gateways?: number;
  /** Network volumes per project. */
  readonly volumes?: number;
  readonly faults?: Faults;
  /** Instead of the usual users: those who want many machines of clouds of one kind, whose create calls have trouble most of the time. */
  readonly creates?: IdempotencyKind;
  /** Instead of crashes at random: one, at the n-th point that leaves the world in another state than the point before it; 0: none. */
  readonly crashAt?: number;
  /** Whether the story is kept. */
  readonly trace?: boolean;
}

export interface SimulationResult {
  readonly seed: number;
  readonly violations: readonly string[];
  /** Empty unless it was asked for. */
  readonly story: readonly string[];
  readonly simulatedMs: number;
  readonly replicas: number;
  readonly crashes: number;
  readonly freezes: number;
  /** How many points `crashAt` may name; counted only when it is given. */
  readonly crashPoints: number;
  readonly runs: number;
  readonly machines: number;
  readonly commits: number;
  readonly creates: CreatesTold;
}

/** What became of the create calls of a story. */
export interface CreatesTold {
  readonly asked: number;
  readonly faulted: number;
  /** Machines that for a while nobody was behind, or that were the second one of their instance. */
  readonly strays: number;
}
