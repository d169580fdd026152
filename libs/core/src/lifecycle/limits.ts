const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Every wait of the lifecycle, in one place. A non-terminal state without a deadline is a bug. */
export const LIMITS = {
  /** A submitted job nobody placed. Placement answers in seconds; this only catches what never came back. */
  placementMs: 30 * MINUTE,
  /** How long machines that a restored or copied database does not know are left alone. */
  quarantineMs: 24 * HOUR,
  /** From assignment until the machine exists, all attempts together. */
  launchMs: HOUR,
  /** A create call is given up after so long. */
  createMs: 2 * MINUTE,
  /** From a create call on, until nothing of it is under way any more. */
  createArrivesMs: 3 * MINUTE,
  /** The same of the others, which are given up after half a minute: with a minute that a clock may be set forward meanwhile. */
  callArrivesMs: 150 * SECOND,
  /** Containers made for one job, one after the other, that failed to start. */
  containersTried: 3,
  /** From a ready machine until the agent has taken the job. */
  agentStartMs: 10 * MINUTE,
  /** From the submission of a worker until its router has an address. */
  routerAddressMs: 30 * MINUTE,
  /** Between two looks for it; whoever has one wakes those that wait. */
  routerLookMs: 30 * SECOND,
  /** The agent's own limit on a pull is 20 min. */
  pullMs: 25 * MINUTE,
  /** How long a job survives a host nobody can reach, unless the server is set otherwise. */
  unreachableJobMs: 2 * MINUTE,
  /** How long an unreachable rented machine is kept. */
  unreachableInstanceMs: 20 * MINUTE,
  /** Beyond its idle time, until a machine that no server connects to powers itself off. */
  serverLostMs: HOUR,
  utilisationCheckMs: MINUTE,
  /**
   * The agent enforces `max_duration` by a clock that nobody sets; past this margin the server does. Its own clock
   * may be set right by minutes while a job runs, which must not cost the job its time.
   */
  maxDurationMarginMs: 10 * MINUTE,
  /** After the grace period, until the kill is sent by the server as well. */
  killMarginMs: 10 * SECOND,
  /** After a kill, until the job is given up on an agent that does not confirm it. */
  killConfirmMs: 2 * MINUTE,
  /** After a job ended, for its last output to become durable. */
  logDrainMs: 2 * MINUTE,
  /** The same since then, however often its host is connected anew; one that is connected later still has a moment. */
  logDrainMostMs: 30 * MINUTE,
  logDrainLateMs: MINUTE,
  /** How long the host of a job that is over keeps the end of its log for a server that cannot take it; as long as of one that runs. */
  owedLogMs: 24 * HOUR,
  /** Between two sends of the same request to an agent. */
  agentRetryMs: 5 * SECOND,
  /** One attempt to create a machine, repeats of the same token included. */
  attemptMs: 10 * MINUTE,
  attemptRetryMs: 5 * SECOND,
  /** Between two looks whether the first machine of a cluster is there. */
  clusterLeadMs: SECOND,
  /** How often a machine that ends with others looks whether they are free; they wake it when they are. */
  groupWaitMs: 30 * SECOND,
  /** Between two looks at a machine that is starting: a quarter of its age, within these bounds. */
  pollMinMs: 200,
  pollMaxMs: 5 * SECOND,
  /** Between two looks at a machine that cannot be reached. */
  unreachablePollMs: 5 * SECOND,
  /** From the moment a host is named until its agent answers, all tries together. */
  onboardingMs: 10 * MINUTE,
  onboardRetryMinMs: 2 * SECOND,
  onboardRetryMaxMs: 30 * SECOND,
  /** How long a host that is to go is waited for, so that the agent can be removed from it. */
  offboardMs: 2 * MINUTE,
  agentReplaceRetryMs: 10 * MINUTE,
  /** Terminate is repeated for ever, ever slower. */
  terminateRetryMinMs: 5 * SECOND,
  terminateRetryMaxMs: 10 * MINUTE,
  /** A run that has been running this long is healthy: its next failure is retried as if it were the first. */
  stableRunMs: 10 * MINUTE,
  /** From the wish for a volume until the cloud has it or its last error is the answer. */
  volumeCreateMs: 10 * MINUTE,
  volumeRetryMinMs: 2 * SECOND,
  volumeRetryMaxMs: 5 * MINUTE,
  /** Between two tries to attach a volume, and two looks whether its machine is there. */
  attachRetryMs: 5 * SECOND,
  /** Between two looks at a volume that is being detached. */
  detachPollMs: 4 * SECOND,
  /** A detach is not forced before: what is still being written would be lost. */
  forceDetachMs: MINUTE,
  /** How long a machine that has to go is kept for its volumes; ending it detaches them too. */
  instanceDetachMs: 10 * MINUTE,
  /** From the wish for a gateway replica until it serves, or its last error is the answer. */
  gatewayReadyMs: 30 * MINUTE,
  gatewayRetryMinMs: 2 * SECOND,
  gatewayRetryMaxMs: MINUTE,
  /** Between two tries to bring another version of the gateway to a replica that runs. */
  gatewayUpdateRetryMs: 10 * MINUTE,
  /** How long a host of one's own that is to go is waited for, so that the gateway can be removed from it. */
  gatewayUninstallMs: 2 * MINUTE,
  /** How long a service may be refused by all replicas of its gateway, when that may pass, before its run fails. */
  gatewayRefusalMs: 10 * MINUTE,
  /** Between two looks for machines that nobody will terminate. */
  orphansMs: 5 * MINUTE,
  /** How long a replica of a new specification may run without being ready; the loading of a large model takes long. */
  rolloutReadyMs: 30 * MINUTE,
  /** The longest a replica that is not needed any more may answer what it has got. */
  drainMs: 5 * MINUTE,
  /** A safety look at runs that wait for others. */
  runCheckMs: 10 * MINUTE,
  fleetCheckMs: MINUTE,
} as const;

const CONSOLIDATION_MS = [1, 2, 5, 10, 30].map((minutes) => minutes * MINUTE);

/** How long a fleet waits before it creates missing instances again. */
export function consolidationDelayMs(attempt: number): number {
  return CONSOLIDATION_MS[Math.min(attempt, CONSOLIDATION_MS.length - 1)] ?? 30 * MINUTE;
}

/** Back-off that doubles between two bounds. */
export function doublingDelayMs(failures: number, minMs: number, maxMs: number): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(Math.max(failures, 0), 20));
}
