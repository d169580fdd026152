import type { TrafficReport, TrafficWindow } from '@dstack/core';
import { ReplicaSet, TrafficMeter, WaitingRoom } from '@dstack/proxy';
import type { JobPorts } from '../../agents/job-ports.js';
import type { World } from '../../world/world.js';
import type { FoundService } from './find-service.js';

/** Requests that wait for a first replica, and for how long: a machine has to be found and an image fetched. */
const HELD_REQUESTS = 100;
const HELD_MS = 120_000;
const CONNECTIONS_PER_REPLICA = 256;

export interface LiveServiceTools {
  readonly ports: JobPorts;
  readonly world: World;
  /** Until a replica begins to answer. */
  readonly answerMs: number;
}

/** One service, as long as requests come for it: its replicas, who waits for them, and what is counted. */
export class LiveService {
  readonly replicas: ReplicaSet;
  readonly room: WaitingRoom;
  private readonly meters = new Map<string, TrafficMeter>();
  /** Since the last report; a report that says the same again says that this server is alive. */
  private hasNews = false;

  constructor(
    public found: FoundService,
    private readonly tools: LiveServiceTools,
  ) {
    const { world, answerMs } = tools;
    this.replicas = new ReplicaSet({
      limits: { connections: CONNECTIONS_PER_REPLICA, answerMs },
      now: () => world.clock.now(),
      random: () => world.random.next(),
    });
    this.room = new WaitingRoom({
      places: HELD_REQUESTS,
      longestMs: HELD_MS,
      after: (ms, then) => world.scheduler.after(ms, then),
    });
    this.take(found);
  }

  take(found: FoundService): void {
    this.found = found;
    this.replicas.update(
      found.replicas.map(({ jobId, instanceId, port, group }) => ({
        id: jobId,
        group,
        connect: () => this.tools.ports.open(instanceId, jobId, port),
      })),
    );
    if (!this.replicas.isEmpty) this.room.open();
  }

  /** Its answer has ended; `group` is the one that answered. */
  answered(group: string, ms: number): void {
    this.hasNews = true;
    this.meter(group).count(ms);
  }

  /** Null: nothing has happened, and nothing is going on, since it was asked last. */
  report(): TrafficReport | null {
    const inFlight = this.replicas.inFlight();
    const groups: Record<string, TrafficWindow[]> = {};
    for (const [group, meter] of this.meters) groups[group] = meter.windows();
    const held = this.room.size;
    const isBusy = held > 0 || Object.keys(inFlight).length > 0 || Object.values(groups).some(hasRequests);
    const isTold = this.hasNews || isBusy;
    // What has become quiet is told once more.
    this.hasNews = isBusy;
    return isTold ? { groups, inFlight, held } : null;
  }

  /** Who waits here looks again. */
  close(): void {
    this.replicas.close();
    this.room.open();
  }

  private meter(group: string): TrafficMeter {
    let meter = this.meters.get(group);
    if (meter === undefined) {
      meter = new TrafficMeter(() => this.tools.world.clock.now());
      this.meters.set(group, meter);
    }
    return meter;
  }
}

function hasRequests(windows: readonly TrafficWindow[]): boolean {
  return windows.some(({ requests }) => requests > 0);
}
