import { Logger } from '@nestjs/common';
import type { Database } from '../../persistence/database.js';
import { releaseLease, takeLease } from '../../placement/lease.js';
import type { Timer } from '../../world/scheduler.js';
import type { World } from '../../world/world.js';
import type { LogKey, LogStore } from '../log-store.js';
import type { LogBacklog } from './log-backlog.js';
import type { LogSegments, UnshippedLog } from './log-segments.js';
import { type LogSink, LogSinkError, streamName } from './log-sink.js';
import { eventsOfSegment, planSegment, type SegmentPlan } from './segment.js';

const LEASE = 'log-shipper';
const LEASE_MS = 30_000;
const PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
/** At once; each holds a request in memory, of 1 MiB at most. */
const CONCURRENCY = 8;
const LOGS_AT_ONCE = 200;
/** Of one log, before others have their turn. */
const SEGMENTS_IN_A_ROW = 16;
/** Who reads a log as it grows finds it here; services show what they got only after a while. */
const KEPT_MS = 10 * 60_000;
const FORGOTTEN_AT_ONCE = 500;

export interface LogShipperParts {
  readonly db: Database;
  readonly recent: Pick<LogStore, 'read'>;
  readonly segments: LogSegments;
  readonly sink: LogSink;
  readonly backlog: LogBacklog;
  readonly mostBytes: number;
  readonly holder: string;
  readonly world: World;
}

/** What it has done since the server started. */
export interface ShippingCounts {
  shippedBytes: number;
  /** The service will never take them. */
  refusedEvents: number;
  failures: number;
}

/** Brings logs from the database to the service that keeps them; one server of several does. */
export class LogShipper {
  readonly counts: ShippingCounts = { shippedBytes: 0, refusedEvents: 0, failures: 0 };
  private readonly log = new Logger('Logs');
  private timer: Timer | undefined;
  private isStopped = false;
  private working: Promise<void> = Promise.resolve();
  /** Passes in a row that failed. */
  private failed = 0;
  private isFull = false;

  constructor(private readonly parts: LogShipperParts) {}

  start(): void {
    this.wakeIn(PAUSE_MS);
  }

  /** What is under way ends; what waits is shipped by whoever comes next. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.timer?.cancel();
    await this.working;
    await releaseLease(this.parts.db, LEASE, this.parts.holder);
  }

  /** Ships what is ready, of all logs. @throws {LogSinkError} when the service takes nothing now */
  async pass(): Promise<void> {
    const { db, holder, segments, world } = this.parts;
    if ((await takeLease(db, LEASE, holder, LEASE_MS)) === null) return;
    let after: string | undefined = '';
    while (after !== undefined && !this.isStopped) {
      const logs: readonly UnshippedLog[] = await segments.unshipped(LOGS_AT_ONCE, after);
      await this.shipAll(logs);
      after = logs.length < LOGS_AT_ONCE ? undefined : logs.at(-1)?.key.jobId;
      await takeLease(db, LEASE, holder, LEASE_MS);
    }
    await segments.forgetChunks(world.clock.now() - KEPT_MS, FORGOTTEN_AT_ONCE);
  }

  private async shipAll(logs: readonly UnshippedLog[]): Promise<void> {
    const queue = [...logs];
    const failures: unknown[] = [];
    const work = async (): Promise<void> => {
      for (
        let log = queue.shift();
        log !== undefined && failures.length === 0 && !this.isStopped;
        log = queue.shift()
      ) {
        await this.ship(log).catch((error: unknown) => void failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    if (failures.length > 0) throw failures[0];
  }

  private async ship({ key, shippedOffset, isClosed }: UnshippedLog): Promise<void> {
    let offset = shippedOffset;
    for (let count = 0; count < SEGMENTS_IN_A_ROW && !this.isStopped; count += 1) {
      const segment = await this.nextSegment(key, offset, isClosed);
      if (segment === null || !(await this.put(key, segment))) return;
      offset = segment.endOffset;
    }
  }

  private async nextSegment(key: LogKey, offset: number, isClosed: boolean): Promise<SegmentPlan | null> {
    const { recent, segments, sink, world } = this.parts;
    const { begun, lastAt } = await segments.next(key, offset);
    if (begun !== null) {
      const { chunks } = await recent.read(key, offset, begun.endOffset - offset);
      return { ...begun, events: eventsOfSegment(chunks, begun, sink.limits) };
    }
    const { chunks, endOffset } = await recent.read(key, offset, sink.limits.bytes);
    const last = chunks.at(-1);
    const plan = planSegment({
      chunks,
      limits: sink.limits,
      // Its own milliseconds: events are told apart by their times where the service keeps nothing else.
      floorAt: lastAt + 1,
      reachesEnd: last !== undefined && last.startOffset + last.payload.length === endOffset,
      isClosed,
      now: world.clock.now(),
    });
    if (plan !== null) await segments.begin(key, plan);
    return plan;
  }

  private async put(key: LogKey, segment: SegmentPlan): Promise<boolean> {
    const { sink, segments, world } = this.parts;
    const refused = await this.putEvents(key, segment);
    if (refused > 0) {
      this.counts.refusedEvents += refused;
      this.log.error(`${sink.name} does not take ${refused} lines of ${streamName(key)}: they are not kept`);
    }
    this.counts.shippedBytes += segment.endOffset - segment.startOffset;
    return segments.settle(key, segment, segment.events.length - refused, world.clock.now());
  }

  /** @returns how many the service will never take */
  private async putEvents(key: LogKey, { events }: SegmentPlan): Promise<number> {
    try {
      return (await this.parts.sink.put(key, events)).refused;
    } catch (error) {
      if (!(error instanceof LogSinkError && error.kind === 'refused')) throw error;
      this.log.error(`${this.parts.sink.name} refuses a part of ${streamName(key)}: ${error.message}`);
      return events.length;
    }
  }

  private wakeIn(delayMs: number): void {
    if (this.isStopped) return;
    this.timer = this.parts.world.scheduler.after(delayMs, () => {
      this.working = this.round();
    });
  }

  private async round(): Promise<void> {
    try {
      await this.pass();
      if (this.failed > 0) this.log.log(`${this.parts.sink.name} takes logs again`);
      this.failed = 0;
    } catch (error) {
      this.failed += 1;
      this.counts.failures += 1;
      await this.tellFailure(error);
    }
    await this.tellWhetherFull();
    this.wakeIn(pauseAfter(this.failed, this.parts.world.random.next()));
  }

  /** Once for each time that it begins. */
  private async tellFailure(error: unknown): Promise<void> {
    if (this.failed > 1) return;
    const { bytes } = await this.parts.backlog.now().catch(() => ({ bytes: 0 }));
    const reason = error instanceof Error ? error.message : String(error);
    this.log.warn(`${this.parts.sink.name} takes no logs; ${bytes} bytes wait in the database: ${reason}`);
  }

  private async tellWhetherFull(): Promise<void> {
    const { backlog, mostBytes, sink } = this.parts;
    const { bytes, logs } = await backlog.now().catch(() => ({ bytes: 0, logs: 0 }));
    const isFull = bytes >= mostBytes;
    if (isFull && !this.isFull)
      this.log.error(
        `${bytes} bytes of ${logs} logs wait for ${sink.name}, and no more may (DSTACK_SERVER_LOG_BUFFER_BYTES): logs wait on the hosts, which keep 1 GiB of each job for 24 hours`,
      );
    this.isFull = isFull;
  }
}

/** After so many failures in a row; twice as long each time. Pure. */
export function pauseAfter(failures: number, chance: number): number {
  if (failures === 0) return PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** Math.min(failures, 10)) * (0.75 + chance / 4);
}
