import type { Catalog } from '@dstack/catalog';
import type { InternalBackendType } from '@dstack/core';
import type { z } from 'zod';
import type { Capabilities, Idempotency } from './capabilities.js';
import type { Compute } from './compute.js';
import type { MachineImages } from './machine-images.js';

/** `@dstack/backend-<type>`: everything that is known about a backend before it is opened. Loads no SDK. */
export interface BackendDefinition<Config = unknown> {
  readonly type: InternalBackendType;
  readonly title: string;
  /** One sentence and an example for documentation and error messages. */
  readonly summary: string;
  readonly example: string;
  readonly configSchema: z.ZodType<Config>;
  readonly capabilities: Capabilities;
  readonly idempotency: Idempotency;
  /**
   * From a create call on, for how many milliseconds it may make a machine though its caller has given up or died. Absent: three minutes,
   * which is the call's own limit and a minute more for a request that is under way. 0: never.
   */
  readonly createArrivesMs?: number;
  /** Its offers come in an order of their own (a score), which is kept; absent: the cheapest is first. */
  readonly ordersOffers?: boolean;
  /** Where it is used without `regions` in its configuration, of a cloud that lists more. */
  readonly defaultRegions?: readonly string[];
  /** Longest machine name the cloud accepts. */
  readonly maxNameLength: number;
  /** How long a machine may take from create to a reachable agent. */
  readonly provisioningTimeoutMs: (instanceType: string) => number;
}

/** What the world gives to an open backend; tests give other clocks and endpoints. */
export interface BackendEnvironment {
  readonly now: () => number;
  readonly random: () => number;
  /** Rejects with the signal's reason when it is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
  /** What the cloud sells and for how much, as far as is known now: asked for anew for each use. */
  readonly catalog: (cloud: string) => Catalog;
  /** Instead of the cloud's own API: an emulator, or a proxy that people must go through. */
  readonly endpoint: string | null;
  /** For clouds where dstack publishes its own. */
  readonly machineImages: MachineImages;
}

/** `@dstack/backend-<type>/compute`: the first place where an SDK is imported. `Extras` is what only this backend needs to open. */
export interface BackendModule<Config = unknown, Extras = unknown> {
  /** Credential and reference checks with cheap calls; an empty list means the configuration works. */
  validate?(
    config: Config,
    environment: BackendEnvironment & Extras,
    signal: AbortSignal,
  ): Promise<readonly ConfigIssue[]>;
  open(config: Config, environment: BackendEnvironment & Extras): Promise<Compute>;
}

export interface ConfigIssue {
  readonly path: readonly (string | number)[];
  readonly message: string;
}
