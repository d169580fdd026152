import { laneOf, type LaneReplica } from './lane.js';

/** nginx is reloaded for new tunnels no more often than that, and not while so many of its former workers end what they have. */
const GROWS_AFTER_MS = 3_000;
const MOST_FORMER_WORKERS = 16;

/** By id of the service: the tunnels of its replicas. */
export type TunnelLanes = ReadonlyMap<string, readonly string[]>;

export interface LanesTools {
  readonly now: () => number;
  readonly replicas: (serviceId: string) => readonly LaneReplica[];
  readonly formerWorkers: () => Promise<number>;
}

/** What nginx has of tunnels, and what it shall have next. */
export class Lanes {
  private held: TunnelLanes = new Map();
  private heldSince = -Infinity;

  constructor(private readonly tools: LanesTools) {}

  async next(serviceIds: readonly string[]): Promise<TunnelLanes> {
    const { now, replicas, formerWorkers } = this.tools;
    const isTime = now() - this.heldSince >= GROWS_AFTER_MS;
    const mayGrow = isTime && (await formerWorkers()) <= MOST_FORMER_WORKERS;
    return new Map(
      serviceIds.map((id) => [id, laneOf({ replicas: replicas(id), former: this.held.get(id) ?? [], mayGrow })]),
    );
  }

  /** nginx has these. */
  took(lanes: TunnelLanes): void {
    if (areSame(lanes, this.held)) return;
    this.held = lanes;
    this.heldSince = this.tools.now();
  }

  async areBehind(serviceIds: readonly string[]): Promise<boolean> {
    return !areSame(await this.next(serviceIds), this.held);
  }
}

function areSame(one: TunnelLanes, other: TunnelLanes): boolean {
  const text = (all: TunnelLanes): string => JSON.stringify([...all].filter(([, paths]) => paths.length > 0));
  return text(one) === text(other);
}
