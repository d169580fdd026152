import type { JobStart } from '@dstack/agent-protocol';

/** What the job listens at is a port of its host. */
export function hasPortsOfHost({ runtime, container }: Pick<JobStart, 'runtime' | 'container'>): boolean {
  return runtime === 'process' || container?.network === 'host';
}
