/** How often things go wrong, as probabilities per call unless said otherwise. */
export interface Faults {
  readonly noCapacity: number;
  readonly lostRequest: number;
  readonly lostReply: number;
  /** Per crash point. */
  readonly crash: number;
  readonly maxCrashes: number;
  /** Per machine. */
  readonly vanish: number;
  readonly neverReady: number;
  /** Mean milliseconds between two troubles of one agent: a restart, a cut or a partition. */
  readonly agentTroubleMs: number;
  readonly slowTermination: number;
  /** Per look at a host that somebody gives. */
  readonly brokenHost: number;
  /** Mean milliseconds between two moments at which every lease runs out. */
  readonly leaseExpiryMs: number;
}

export const FAULTS: Faults = {
  noCapacity: 0.15,
  lostRequest: 0.04,
  lostReply: 0.08,
  crash: 0.002,
  maxCrashes: 6,
  vanish: 0.08,
  neverReady: 0.04,
  agentTroubleMs: 90_000,
  slowTermination: 0.3,
  brokenHost: 0.05,
  leaseExpiryMs: 5_000,
};

export const NO_FAULTS: Faults = {
  noCapacity: 0,
  lostRequest: 0,
  lostReply: 0,
  crash: 0,
  maxCrashes: 0,
  vanish: 0,
  neverReady: 0,
  agentTroubleMs: Infinity,
  slowTermination: 0,
  brokenHost: 0,
  leaseExpiryMs: Infinity,
};
