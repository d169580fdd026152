import type { Instant } from '../lifecycle/decision.js';

/** Requests whose answers ended in the last `seconds`. */
export interface TrafficWindow {
  readonly seconds: number;
  readonly requests: number;
  /** Milliseconds; 0 when there were none. */
  readonly meanMs: number;
}

/** What one proxy (a server replica or a gateway replica) sees of a service. */
export interface TrafficReport {
  /** By name of the replica group. */
  readonly groups: Readonly<Record<string, readonly TrafficWindow[]>>;
  /** Requests being answered now, by id of the job that answers. */
  readonly inFlight: Readonly<Record<string, number>>;
  /** Requests that wait for a replica to become ready. */
  readonly held: number;
}

export interface ReportedTraffic {
  readonly reportedAt: Instant;
  readonly report: TrafficReport;
}

/** What all proxies see together. */
export interface ServiceTraffic extends TrafficReport {
  /** The time since which every live proxy has spoken; null: there is none, and so there is no traffic. */
  readonly heardSince: Instant | null;
}

/** A proxy that has been silent for this long has no requests any more, or nobody hears of them. */
export const TRAFFIC_TTL_MS = 30_000;

export const NO_TRAFFIC: ServiceTraffic = { groups: {}, inFlight: {}, held: 0, heardSince: null };

export function sumTraffic(reports: readonly ReportedTraffic[], now: Instant): ServiceTraffic {
  const live = reports.filter(({ reportedAt }) => reportedAt > now - TRAFFIC_TTL_MS);
  if (live.length === 0) return NO_TRAFFIC;
  const names = new Set(live.flatMap(({ report }) => Object.keys(report.groups)));
  const groups = [...names].map((name): [string, TrafficWindow[]] => [
    name,
    sumWindows(live.flatMap(({ report }) => report.groups[name] ?? [])),
  ]);
  return {
    groups: Object.fromEntries(groups),
    inFlight: sumCounts(live.map(({ report }) => report.inFlight)),
    held: live.reduce((sum, { report }) => sum + report.held, 0),
    heardSince: Math.min(...live.map(({ reportedAt }) => reportedAt)),
  };
}

function sumWindows(windows: readonly TrafficWindow[]): TrafficWindow[] {
  return [...Map.groupBy(windows, ({ seconds }) => seconds)]
    .map(([seconds, same]) => {
      const requests = same.reduce((sum, each) => sum + each.requests, 0);
      const totalMs = same.reduce((sum, each) => sum + each.requests * each.meanMs, 0);
      return { seconds, requests, meanMs: requests === 0 ? 0 : totalMs / requests };
    })
    .sort((a, b) => a.seconds - b.seconds);
}

function sumCounts(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const each of counts) {
    for (const [id, count] of Object.entries(each)) sums[id] = (sums[id] ?? 0) + count;
  }
  return sums;
}

/** Nobody asks for anything: such a report need not be read at once. */
export function isQuiet({ groups, inFlight, held }: TrafficReport): boolean {
  const hasRequests = Object.values(groups).some((windows) => windows.some(({ requests }) => requests > 0));
  return held === 0 && !hasRequests && Object.values(inFlight).every((count) => count === 0);
}
