import type { Instant } from '../lifecycle/decision.js';
import type { PendingBecause } from './explanation.js';
import { placeGroups } from './place-groups.js';
import type { PlacementGroup, PlacementInput } from './placement-input.js';

/** A run that waits for its next try, with what it would submit. */
export interface WaitingRun {
  readonly group: PlacementGroup;
  readonly because: PendingBecause;
  /** Told before; its jobs are not there yet, but what they need is spoken for. */
  readonly isResumed: boolean;
}

export interface FreeCapacity extends Omit<PlacementInput, 'groups'> {
  /** When the server's own machine got room last. */
  readonly thisMachineFreedAt: Instant | null;
}

/** How much room the machine has is known only when it is asked: not everybody needs to ask at once. */
const TRIES_ON_THIS_MACHINE = 5;

/**
 * The runs to try again before their time, the highest priority first: those that what is free now would hold, and those whose fleet may
 * create a machine more. Whoever would be refused again keeps waiting, so capacity that fits nobody wakes nobody.
 */
export function chooseResumptions(waiting: readonly WaitingRun[], free: FreeCapacity): string[] {
  const byRun = new Map(waiting.map((run) => [run.group.runId, run]));
  const rooms = new Map(free.fleets.map((fleet) => [fleet.id, (fleet.maxNodes ?? Infinity) - fleet.activeCount]));
  // Nothing is kept for a machine that might be created: nobody asks the backends here.
  const groups = waiting.map((run) => ({ ...run.group, mayCreate: false }));
  let tries = 0;
  return placeGroups({ ...free, groups }).flatMap(({ kind, group: { runId } }) => {
    const run = byRun.get(runId);
    if (run === undefined) return [];
    if (kind !== 'placed' && !takeRoom(run, rooms)) {
      if (!isRoomHere(run, free) || tries >= TRIES_ON_THIS_MACHINE) return [];
      tries += 1;
    }
    return run.isResumed ? [] : [runId];
  });
}

/** In a fleet that was full when the run was refused. */
function takeRoom({ group, because }: WaitingRun, rooms: Map<string, number>): boolean {
  const fleetId = because.explanation.fullFleetIds.find((id) => (rooms.get(id) ?? 0) >= group.jobs.length);
  if (fleetId === undefined) return false;
  rooms.set(fleetId, (rooms.get(fleetId) ?? 0) - group.jobs.length);
  return true;
}

function isRoomHere({ because }: WaitingRun, { thisMachineFreedAt }: FreeCapacity): boolean {
  if (thisMachineFreedAt === null || !because.explanation.thisMachineIsFull) return false;
  return thisMachineFreedAt >= because.refusedAt;
}
