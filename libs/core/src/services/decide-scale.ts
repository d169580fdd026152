import type { Instant } from '../lifecycle/decision.js';
import type { TrafficWindow } from './traffic.js';

export interface Scaling {
  /** Requests per second that one replica shall get. */
  readonly target: number;
  readonly windowSeconds: number;
  readonly upDelayMs: number;
  readonly downDelayMs: number;
}

/** The replicas of a service that are alike and scaled together. */
export interface ServiceGroup {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly scaling: Scaling | null;
}

export interface GroupScale {
  readonly desired: number;
  /** When it last changed; both delays count from here. */
  readonly scaledAt: Instant;
}

export interface GroupLoad {
  readonly windows: readonly TrafficWindow[];
  readonly inFlight: number;
  /** Requests that wait because the service has no replica at all. */
  readonly held: number;
}

export interface ScaleVerdict {
  readonly scale: GroupScale;
  /** Set when the number changes. */
  readonly because: string | null;
  /** When the load is to be looked at again; null: only when somebody asks for something. */
  readonly recheckAt: Instant | null;
}

/** Between two looks at a load that there is. */
const CHECK_MS = 10_000;

/** How many replicas a group shall have, by nothing but its own traffic. */
export function decideScale(
  group: ServiceGroup,
  current: GroupScale | null,
  load: GroupLoad,
  now: Instant,
): ScaleVerdict {
  const start = current ?? { desired: clamp(group.min, group), scaledAt: now };
  const bounded = clamp(start.desired, group);
  if (bounded !== start.desired) {
    const because = `${start.desired} is not within ${group.min}..${group.max} any more`;
    return { scale: { desired: bounded, scaledAt: now }, because, recheckAt: now };
  }
  if (group.scaling === null) return { scale: start, because: null, recheckAt: null };
  return byLoad(group, group.scaling, start, load, now);
}

function byLoad(
  group: ServiceGroup,
  scaling: Scaling,
  current: GroupScale,
  load: GroupLoad,
  now: Instant,
): ScaleVerdict {
  const requests = load.windows.find(({ seconds }) => seconds === scaling.windowSeconds)?.requests ?? 0;
  const rps = requests / scaling.windowSeconds;
  // An answer that takes longer than the window is no reason to end its replica.
  const isBusy = load.inFlight > 0 || load.held > 0;
  // 0.1 + 0.2 requests shall not need a replica more than 0.3.
  const wanted = clamp(Math.max(Math.ceil(rps / scaling.target - 1e-9), isBusy ? 1 : 0), group);
  // Proxies tell of requests at once only after a time without any in all their windows: until then they are looked for.
  const isQuiet = load.windows.every((window) => window.requests === 0);
  const isIdle = isQuiet && !isBusy && current.desired <= group.min;
  if (wanted === current.desired) return stay(current, isIdle ? null : now + CHECK_MS);
  if (current.desired === 0) return change(wanted, load.held > 0 ? `${load.held} waiting` : rate(rps, scaling), now);
  const delayMs = wanted > current.desired ? scaling.upDelayMs : scaling.downDelayMs;
  const allowedAt = current.scaledAt + delayMs;
  if (now < allowedAt) return stay(current, Math.min(allowedAt, now + CHECK_MS));
  return change(wanted, rate(rps, scaling), now);
}

function stay(scale: GroupScale, recheckAt: Instant | null): ScaleVerdict {
  return { scale, because: null, recheckAt };
}

function change(desired: number, because: string, now: Instant): ScaleVerdict {
  return { scale: { desired, scaledAt: now }, because, recheckAt: now + CHECK_MS };
}

function rate(rps: number, { target, windowSeconds }: Scaling): string {
  const shown = Math.round(rps * 100) / 100;
  return `${shown} requests per second in the last ${windowSeconds} s, ${target} per replica`;
}

function clamp(count: number, { min, max }: ServiceGroup): number {
  return Math.min(max, Math.max(min, count));
}
