import type { HostHealth } from '@dstack/agent-protocol';

/** One thing that is wrong with a host, as a short sentence for a person. */
export interface Incident {
  readonly status: 'warning' | 'failure';
  readonly text: string;
}

export const warning = (text: string): Incident => ({ status: 'warning', text });
export const failure = (text: string): Incident => ({ status: 'failure', text });

/** The worst first; a host is as healthy as its worst incident. */
export function judgeHealth(incidents: readonly Incident[]): HostHealth {
  const sorted = [...incidents].sort((a, b) => Number(b.status === 'failure') - Number(a.status === 'failure'));
  const told = [...new Map(sorted.map((incident) => [incident.text, incident])).values()];
  return {
    status: told[0]?.status ?? 'healthy',
    incidents: told.map(({ text }) => text),
    ...(told.length === 0 ? {} : { incidentStatuses: told.map(({ status }) => status) }),
  };
}
