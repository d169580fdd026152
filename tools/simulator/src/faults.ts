/** How often things go wrong: probabilities per call, unless the comment says otherwise. */
export interface Faults {
  /** Per story: of a second server beside the first one; with the same probability squared, of a third. */
  readonly replicas: number;
  /** Per crash point. */
  readonly crash: number;
  readonly maxCrashes: number;
  /** Per restart: it takes minutes instead of seconds. */
  readonly longOutage: number;
  /** Per point outside of transactions: the server stands still for up to a minute and a half. */
  readonly freeze: number;
  readonly maxFreezes: number;
  /** Per story: now and then there is no room for logs, for up to ten minutes. */
  readonly fullLogs: number;
  /** Of those: mean milliseconds between two beginnings. */
  readonly fullLogsMs: number;
  /** Per story: its servers are too slow for their leases now and then. */
  readonly slowServers: number;
  /** Of slow servers: mean milliseconds between two moments at which every lease of a row runs out; now and then, with replicas, those of connections too. */
  readonly leaseExpiryMs: number;
  /** Per notice from one replica to another. */
  readonly lostNotice: number;
  /** Mean milliseconds between two times at which a replica does not reach the database that it shares with others, for up to 40 s. */
  readonly databaseOutageMs: number;
  /** Per transaction of a replica: the connection breaks during its commit, which is done or not. */
  readonly lostCommit: number;
  /** Mean milliseconds between two steps of the clock of one machine of the servers, by up to a minute forward or back. */
  readonly clockStepMs: number;
  /** Per agent: its clock is wrong by up to five minutes. */
  readonly wrongAgentClock: number;

  /** Calls to clouds, hosts and agents. */
  readonly lostRequest: number;
  readonly lostReply: number;
  /** The request is under way for up to a minute; who sent it may be gone when it arrives. */
  readonly lateRequest: number;
  readonly lateReply: number;
  /** Per request to a cloud that gets no answer: it is sent again unseen, so that it may be done twice. */
  readonly repeatedRequest: number;

  readonly throttled: number;
  /** The cloud says that it failed; half of the time it did what was asked. */
  readonly cloudError: number;
  /** Per create call: of the offer, its zone, its region (which then has none for a while) or the quota. */
  readonly noCapacity: number;
  /** Per machine. */
  readonly vanish: number;
  readonly neverReady: number;
  readonly bootFailure: number;
  readonly spotInterruption: number;
  readonly slowTermination: number;

  /** Per agent: it has no trouble at all. */
  readonly quietAgent: number;
  /** Of the others: mean milliseconds between two troubles of one agent: a restart, a cut or a partition. */
  readonly agentTroubleMs: number;
  /** Per event of an agent: it tells an older state again. */
  readonly repeatedEvent: number;
  /** Per look at a host that somebody gives. */
  readonly brokenHost: number;
}

export const FAULTS: Faults = {
  replicas: 0.45,
  crash: 0.002,
  maxCrashes: 6,
  longOutage: 0.1,
  freeze: 0.0005,
  maxFreezes: 6,
  fullLogs: 0.25,
  fullLogsMs: 400_000,
  slowServers: 0.5,
  leaseExpiryMs: 5_000,
  lostNotice: 0.1,
  databaseOutageMs: 150_000,
  lostCommit: 0.003,
  clockStepMs: 200_000,
  wrongAgentClock: 0.1,
  lostRequest: 0.04,
  lostReply: 0.08,
  lateRequest: 0.01,
  lateReply: 0.02,
  repeatedRequest: 0.3,
  throttled: 0.02,
  cloudError: 0.03,
  noCapacity: 0.15,
  vanish: 0.06,
  neverReady: 0.04,
  bootFailure: 0.04,
  spotInterruption: 0.3,
  slowTermination: 0.3,
  quietAgent: 0.3,
  agentTroubleMs: 90_000,
  repeatedEvent: 0.05,
  brokenHost: 0.05,
};

/** Most create calls have some trouble. */
export const CREATE_FAULTS: Faults = {
  ...FAULTS,
  crash: 0.0015,
  maxCrashes: 12,
  lostRequest: 0.1,
  lostReply: 0.25,
  lateRequest: 0.15,
  lateReply: 0.1,
  repeatedRequest: 0.5,
  cloudError: 0.2,
};

export const NO_FAULTS: Faults = {
  replicas: 0,
  crash: 0,
  maxCrashes: 0,
  longOutage: 0,
  freeze: 0,
  maxFreezes: 0,
  fullLogs: 0,
  fullLogsMs: Infinity,
  slowServers: 0,
  leaseExpiryMs: Infinity,
  lostNotice: 0,
  databaseOutageMs: Infinity,
  lostCommit: 0,
  clockStepMs: Infinity,
  wrongAgentClock: 0,
  lostRequest: 0,
  lostReply: 0,
  lateRequest: 0,
  lateReply: 0,
  repeatedRequest: 0,
  throttled: 0,
  cloudError: 0,
  noCapacity: 0,
  vanish: 0,
  neverReady: 0,
  bootFailure: 0,
  spotInterruption: 0,
  slowTermination: 0,
  quietAgent: 1,
  agentTroubleMs: Infinity,
  repeatedEvent: 0,
  brokenHost: 0,
};
