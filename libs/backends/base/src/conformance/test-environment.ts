import { bundledCatalog } from '@dstack/catalog';
import type { Call } from '../call.js';
import type { OfferQuery } from '../compute.js';
import type { BackendEnvironment } from '../definition.js';
import { PUBLISHED_MACHINE_IMAGES } from '../machine-images.js';

/** Anything of any kind. */
export const ANYTHING: OfferQuery = { requirements: { resources: {} }, fullOffers: false, unallocated: false };

export interface TestEnvironment extends BackendEnvironment {
  /** What was logged. */
  readonly said: string[];
}

/** For a fake at the endpoint: time passes as it does, or as `now` says, and nobody waits between two requests. */
export function testEnvironment(endpoint: string | null, now: () => number = Date.now): TestEnvironment {
  const said: string[] = [];
  return {
    now,
    random: () => 0.5,
    sleep: async (_ms, signal) => signal.throwIfAborted(),
    log: (_level, message) => void said.push(message),
    catalog: bundledCatalog,
    endpoint,
    machineImages: PUBLISHED_MACHINE_IMAGES,
    said,
  };
}

export function testCall(limitMs = 20_000): Call {
  return { signal: new AbortController().signal, deadline: Date.now() + limitMs };
}
