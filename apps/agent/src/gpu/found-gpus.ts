import type { GpuFact } from '@dstack/agent-protocol';

/** A device as its vendor's tool tells of it; `toolIndex` is the number the same tool gives it in its measurements. */
export interface FoundGpu extends GpuFact {
  readonly toolIndex: number;
}

export interface FoundGpus {
  readonly gpus: readonly FoundGpu[];
  /** What was left out, and why; for the agent's log. */
  readonly problems: readonly string[];
}

/** Optional fields are absent, never undefined. */
export function driverField(version: string | undefined): { readonly driverVersion?: string } {
  return version === undefined ? {} : { driverVersion: version };
}
