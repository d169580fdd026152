import type { Instant } from './decision.js';

export interface UtilisationSample {
  readonly at: Instant;
  /** By GPU. */
  readonly gpuPercents: readonly number[];
}

export interface UtilisationPolicy {
  readonly minPercent: number;
  readonly windowMs: number;
}

/** The window must be covered: samples that begin later say nothing about it. */
const COVERAGE_MS = 60_000;

/** Whether some GPU stayed below the minimum during the whole window. */
export function isUnderUtilised(
  samples: readonly UtilisationSample[],
  policy: UtilisationPolicy,
  now: Instant,
): boolean {
  const start = now - policy.windowMs;
  const inWindow = samples.filter((sample) => sample.at >= start && sample.at <= now);
  if (inWindow.length === 0) return false;
  const oldest = Math.min(...inWindow.map((sample) => sample.at));
  if (oldest > start + COVERAGE_MS) return false;
  const gpus = Math.min(...inWindow.map((sample) => sample.gpuPercents.length));
  return Array.from({ length: gpus }, (_gpu, index) => index).some((index) =>
    inWindow.every((sample) => (sample.gpuPercents[index] ?? 100) < policy.minPercent),
  );
}
