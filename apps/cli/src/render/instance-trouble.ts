import type { Wire } from '@dstack/core';

/** `lab-0 (10.0.0.5)`, as the fleet numbers it and as the user named it. Pure. */
export function instanceLabel({ name, hostname, backend }: Wire.Instance): string {
  return hostname && backend === 'remote' ? `${name} (${hostname})` : name;
}

export function isFailed({ status, termination_reason: reason }: Wire.Instance): boolean {
  return status === 'terminated' && reason !== null && reason !== undefined;
}

/** What is being done to an instance that is not ready, what went wrong, why it ended, what is wrong with its host. Pure. */
export function instanceTrouble(instance: Wire.Instance): string[] {
  const told = (text: string): string => withoutHost(text, instance.hostname);
  if (isFailed(instance)) return [told(instance.termination_reason_message ?? instance.termination_reason ?? '')];
  const isStarting = instance.status === 'pending' || instance.status === 'provisioning';
  const step = textOf(instance, 'progress');
  const error = textOf(instance, 'last_error');
  return [
    ...(isStarting && step !== undefined ? [step] : []),
    ...(error === undefined ? [] : [isStarting ? `last try: ${told(error)}` : told(error)]),
    ...incidentsOf(instance),
  ];
}

/** The name stands before it already. */
function withoutHost(text: string, hostname: string | null | undefined): string {
  return hostname && text.startsWith(`${hostname}: `) ? text.slice(hostname.length + 2) : text;
}

/** 0.21 servers tell no more of the health of a host than a word. */
function incidentsOf(instance: object): string[] {
  const incidents: unknown = 'health_incidents' in instance ? instance.health_incidents : [];
  return Array.isArray(incidents) ? incidents.filter((each) => typeof each === 'string') : [];
}

function textOf(instance: object, field: string): string | undefined {
  const value: unknown = Object.entries(instance).find(([key]) => key === field)?.[1];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
