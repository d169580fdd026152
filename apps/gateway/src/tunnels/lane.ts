/** A service goes without tunnels when a replica that may be asked has had none for so long. */
const PATIENCE_MS = 20_000;

export interface LaneReplica {
  /** Requests may go to it. */
  readonly isReady: boolean;
  /** Null: there is no way for one. */
  readonly tunnel: {
    readonly path: string;
    readonly stands: boolean;
    /** Since it stands or does not. */
    readonly forMs: number;
  } | null;
}

export interface LaneFacts {
  readonly replicas: readonly LaneReplica[];
  /** What nginx has now. */
  readonly former: readonly string[];
  /** nginx may be reloaded for a tunnel that it does not have yet. */
  readonly mayGrow: boolean;
}

/**
 * The tunnels that nginx sends a service's requests through, without this program. All of its replicas have to be among them, or those that are
 * not would get nothing: then there are none, and all requests go through the program.
 */
export function laneOf({ replicas, former, mayGrow }: LaneFacts): string[] {
  const known = new Set(former);
  const isIn = ({ tunnel }: LaneReplica): boolean => {
    if (tunnel === null) return false;
    if (known.has(tunnel.path)) return tunnel.stands || tunnel.forMs <= PATIENCE_MS;
    return mayGrow && tunnel.stands;
  };
  const isMissed = (replica: LaneReplica): boolean =>
    replica.isReady && !isIn(replica) && (replica.tunnel === null || replica.tunnel.forMs > PATIENCE_MS);
  if (replicas.some(isMissed)) return [];
  const paths = replicas.filter(isIn).flatMap(({ tunnel }) => (tunnel === null ? [] : [tunnel.path]));
  return [...new Set(paths)].sort();
}
