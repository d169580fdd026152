import type { MachineKind } from '../offers/machine-kind.js';
import type { InstanceTerminationReason } from '../wire/enums.js';
import type { Instant } from './decision.js';

/** One try to create the machine, committed before the call that makes it. */
export interface OpenAttempt {
  readonly attempt: number;
  readonly createdAt: Instant;
  /** How the outcome of a call that never answered becomes known. */
  readonly idempotency: 'token' | 'name' | 'lookup';
  /** Calls that ended without an answer. */
  readonly unknownOutcomes: number;
}

interface InstanceBase {
  readonly id: string;
  readonly statusChangedAt: Instant;
  readonly busyBlocks: number;
}

/** No machine yet. `launching` has committed at least one attempt. */
export interface UnlaunchedInstance extends InstanceBase {
  readonly status: 'pending' | 'launching';
  readonly given: false;
  readonly createdAt: Instant;
  readonly openAttempt: OpenAttempt | null;
  readonly attemptsMade: number;
  readonly maxAttempts: number;
  /** Set by the last look for offers when it found none. */
  readonly noOffersLeft: string | null;
  /** The job it was made for ended meanwhile, or its fleet is being deleted. */
  readonly unwanted: InstanceTerminationReason | null;
  readonly machine: 'none' | 'starting' | 'ready';
}

/** A host of the user's own whose agent does not run yet. */
export interface PendingHost extends InstanceBase {
  readonly status: 'pending';
  readonly given: true;
  readonly createdAt: Instant;
  /** The agent is installed and has told what the host has. */
  readonly isOnboarded: boolean;
  /** Why the last try failed; null before the first. */
  readonly problem: HostProblemFact | null;
  readonly failedTries: number;
  readonly unwanted: InstanceTerminationReason | null;
}

export interface HostProblemFact {
  readonly message: string;
  /** The same next time unless somebody changes the host or the fleet. */
  readonly lasting: boolean;
}

/**
 * Whose machine it is. `rented`: it costs money while nobody can reach it. `local`: the server's own, asked like a cloud.
 * `given`: a host the user gave us; only a person takes it away.
 */
export type Tenure = 'rented' | 'local' | 'given';

export interface StartingInstance extends InstanceBase {
  readonly status: 'provisioning';
  readonly machineState: 'pending' | 'ready' | 'failed' | 'gone' | 'unknown';
  readonly machineMessage: string | null;
  readonly connectedSince: Instant | null;
  /** Its agent powers it off after so long without a server; null: it does not. */
  readonly powerOffAfterMs: number | null;
  readonly provisioningLimitMs: number;
  readonly unwanted: InstanceTerminationReason | null;
  readonly tenure: Tenure;
  readonly kind: MachineKind;
  /** Made together with others, for one task; nobody else gets it. */
  readonly isOneOfGroup: boolean;
  /** A machine that answers and has no agent yet; null: it has one, or comes with one. */
  readonly bareHost: BareHost | null;
}

export interface BareHost {
  /** Why the last try to put the agent there failed; null before the first. */
  readonly problem: string | null;
  readonly failedTries: number;
}

/** What a fleet has beyond what it always wants to have. */
export interface FleetSurplus {
  /** Machines beyond `nodes.min`, without those that have to go anyway. */
  readonly machines: number;
  /** Idle machines of the fleet whose time ends before that of this one: they are given up first. */
  readonly goFirst: number;
}

export interface LiveInstance extends InstanceBase {
  readonly status: 'idle' | 'busy';
  readonly connectedSince: Instant | null;
  readonly unreachableSince: Instant | null;
  readonly machineState: 'pending' | 'ready' | 'failed' | 'gone' | 'unknown';
  readonly machineMessage: string | null;
  readonly idleSince: Instant | null;
  /** Null: never given up for being idle. */
  readonly idleLimitMs: number | null;
  readonly fleetSurplus: FleetSurplus;
  /** Idle instances that must go: fleet deletion, a changed specification, too many. */
  readonly unwanted: InstanceTerminationReason | null;
  readonly tenure: Tenure;
  readonly kind: MachineKind;
  /** Made together with others, for one task; nobody else gets it. */
  readonly isOneOfGroup: boolean;
  /** The server has another agent than the host runs: null, or when to (try to) replace it. */
  readonly replaceAgentAt: Instant | null;
}

export interface TerminatingInstance extends InstanceBase {
  readonly status: 'terminating';
  /** Every machine that may exist is gone: confirmed by the backend, or never asked for. */
  readonly machineGone: boolean;
  readonly terminateFailures: number;
  readonly nextTerminateAt: Instant | null;
  /** Their last output is still being fetched. */
  readonly jobsDraining: boolean;
  /** Network volumes are still to be taken from it. */
  readonly volumesLeaving: boolean;
  /** It ends together with others, and some of them are still used. */
  readonly groupInUse: boolean;
  /** Why it ends, for people. */
  readonly endMessage: string | null;
  readonly tenure: Tenure;
}

export interface TerminatedInstance extends InstanceBase {
  readonly status: 'terminated';
}

export type InstanceSnapshot =
  UnlaunchedInstance | PendingHost | StartingInstance | LiveInstance | TerminatingInstance | TerminatedInstance;

export type InstanceEffect =
  /** Look for the cheapest offer not tried yet and commit it as the next attempt. */
  | { readonly do: 'plan' }
  /** The attempt's create call; a repeat is the same attempt. */
  | { readonly do: 'launch' }
  /** Ask the cloud what became of an attempt that never answered. */
  | { readonly do: 'settle' }
  | { readonly do: 'poll' }
  /** Prepare a given host: check it, install the agent, learn what it has. */
  | { readonly do: 'onboard' }
  /** Put the agent on a machine of a cloud. */
  | { readonly do: 'install-agent' }
  /** Put the server's agent in the place of an older one, while jobs go on. */
  | { readonly do: 'replace-agent' }
  /** Of a given host: remove everything of ours from it. */
  | { readonly do: 'terminate' };

export interface InstanceChanges {
  readonly reason: InstanceTerminationReason;
  readonly message: string | null;
  readonly startedAt: Instant;
  readonly idleSince: Instant | null;
  readonly finishedAt: Instant;
  /** The open attempt is over without a machine. */
  readonly attemptAbandoned: string;
}
