import { isFinishedRun } from '../wire/endings.js';
import type * as Wire from '../wire/generated/api.js';
import { formatChange, isSame } from './diff.js';
import { checkRunUpdate, type UpdateEffect } from './update-run.js';

type StoredRun = Pick<Wire.Run, 'id' | 'status' | 'run_spec'>;

/** What a plan answers: the contract's action, and for people the changes and what blocks them. */
export interface PlannedAction {
  readonly action: Wire.ApplyAction;
  readonly changes: readonly string[];
  readonly blockers: readonly string[];
}

export function planAction(current: StoredRun | null, next: Wire.RunSpec): PlannedAction {
  if (current === null || isFinishedRun(current.status)) return { action: 'create', changes: [], blockers: [] };
  const { changes, blockers } = checkRunUpdate(current.run_spec, next);
  return { action: blockers.length === 0 ? 'update' : 'create', changes: changes.map(formatChange), blockers };
}

export type ApplyDecision =
  | { readonly do: 'create'; /** A finished run of that name makes room. */ readonly replaces: string | null }
  | {
      readonly do: 'update';
      readonly runId: string;
      readonly effect: UpdateEffect | null;
      readonly changes: readonly string[];
    }
  | { readonly do: 'reject'; readonly message: string };

export interface ApplyRequest {
  readonly next: Wire.RunSpec;
  /** The run of that name that is stored now. */
  readonly current: StoredRun | null;
  /** The run the client decided on. */
  readonly seen: Pick<Wire.Run, 'id' | 'run_spec'> | null;
  readonly force: boolean;
}

export function decideApply({ next, current, seen, force }: ApplyRequest): ApplyDecision {
  if (current === null) return { do: 'create', replaces: null };
  if (isFinishedRun(current.status)) return { do: 'create', replaces: current.id };
  const { changes, effect, blockers } = checkRunUpdate(current.run_spec, next);
  if (blockers.length > 0) {
    const obstacles = blockers.map((blocker) => `- ${blocker}`).join('\n');
    return {
      do: 'reject',
      message: `The run is active and these changes cannot be made in place. Stop it first:\n${obstacles}`,
    };
  }
  if (!force && !isWhatTheClientSaw(seen, current)) {
    return { do: 'reject', message: 'The run has changed since the plan was made. Get a new plan and apply again' };
  }
  return { do: 'update', runId: current.id, effect, changes: changes.map(formatChange) };
}

function isWhatTheClientSaw(seen: ApplyRequest['seen'], current: StoredRun): boolean {
  return seen !== null && seen.id === current.id && isSame(seen.run_spec, current.run_spec);
}
