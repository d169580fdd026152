import type { FleetSurplus } from '../lifecycle/instance-snapshot.js';
import type { Instant } from '../lifecycle/decision.js';

/** A machine that a fleet counts on: nobody has given it up. */
export interface FleetPeer {
  readonly id: string;
  readonly isIdle: boolean;
  /** Null: since its status changed. */
  readonly idleSince: Instant | null;
  readonly statusChangedAt: Instant;
  /** Null, or below zero: it may idle for ever. */
  readonly idleSeconds: number | null;
}

/** What a fleet of which `min` machines are always wanted can spare, as one of them sees it. */
export function fleetSurplus(min: number, one: FleetPeer, peers: readonly FleetPeer[]): FleetSurplus {
  if (min === 0) return { machines: Infinity, goFirst: 0 };
  return { machines: peers.length - min, goFirst: peers.filter((other) => goesBefore(other, one)).length };
}

/** Those whose time ends together go by their ids: each has to come to the same order by itself. */
function goesBefore(other: FleetPeer, one: FleetPeer): boolean {
  if (!other.isIdle || other.idleSeconds === null || other.idleSeconds < 0) return false;
  const [otherEnd, end] = [endOfIdling(other), endOfIdling(one)];
  return otherEnd < end || (otherEnd === end && other.id < one.id);
}

function endOfIdling({ idleSince, statusChangedAt, idleSeconds }: FleetPeer): Instant {
  return (idleSince ?? statusChangedAt) + (idleSeconds ?? 0) * 1000;
}
