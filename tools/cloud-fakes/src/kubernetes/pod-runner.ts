import type { Stored } from './objects.js';

/** What runs the pods of a node: containers of this machine, or nothing at all. */
export interface PodRunner {
  /** Gives the address of the pod, which then runs; rejects: it never gets there, and why. */
  start(pod: Stored, secret: (name: string) => Readonly<Record<string, string>> | undefined): Promise<PodRun>;
  stop(pod: Stored): Promise<void>;
}

export interface PodRun {
  readonly ip: string;
  /** Resolves with the exit code when it ends by itself; absent: it never does. */
  readonly ended?: Promise<number>;
}

/** Pods that run and do nothing. */
export function idlePods(): PodRunner {
  let last = 1;
  return { start: async () => ({ ip: `10.244.0.${(last += 1)}` }), stop: async () => undefined };
}
