import type { AgentAddress } from '@dstack/backend-base';
import type { MachineRecord } from '../instances/instance-record.js';
import type { Offer } from '@dstack/core';

/** A host that is ready for jobs, as its instance will say. */
export interface ReadyHost {
  readonly machine: MachineRecord;
  readonly offer: Offer;
  readonly blocks: number;
}

/** The host is not what the fleet says; the same next time. */
export class UnfitHostError extends Error {
  override readonly name = 'UnfitHostError';
}

/** The agent on a machine that was made for us. */
export interface InstalledAgent {
  readonly agent: AgentAddress;
  readonly agentDigest: string;
}

/** What is done over SSH to hosts: given ones, and machines of a cloud. Its own class, so that a simulated world can bring its own hosts. */
export abstract class Hosts {
  /**
   * `onReached` is awaited once the host answers and before anything is put on it.
   * @throws {SshError | HostProblemError | UnfitHostError}
   */
  abstract onboard(instanceId: string, onReached: () => Promise<void>, signal: AbortSignal): Promise<ReadyHost>;
  /** On a machine of a cloud, from its first answer on. @throws {SshError | HostProblemError} */
  abstract installAgent(instanceId: string, signal: AbortSignal): Promise<InstalledAgent>;
  /** Gives the digest of the agent that runs there from then on. */
  abstract replaceAgent(instanceId: string, signal: AbortSignal): Promise<string>;
  /** Removes everything of ours. */
  abstract offboard(instanceId: string, signal: AbortSignal): Promise<void>;
  /** Of the agent this server would install; null while it is not known. */
  abstract agentDigest(arch: 'x86' | 'arm'): string | null;
}

/** Whether trying again can help. */
export function isLastingHostError(error: unknown): boolean {
  if (error instanceof UnfitHostError) return true;
  if (!(error instanceof Error)) return false;
  if ('lasting' in error) return error.lasting === true;
  return 'kind' in error && (error.kind === 'host-key-changed' || error.kind === 'bad-key');
}
