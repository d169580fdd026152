import type { ShippingState } from '../../logs/log-shipping.js';
import type { Count } from '../../telemetry/telemetry-counts.js';
import type { Family, Labels } from './exposition.js';

export interface ServerFacts {
  readonly version: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly memoryBytes: number;
  readonly counts: readonly Count[];
  /** Null: logs stay in this server. */
  readonly shipping: ShippingState | null;
}

/** What this server tells Prometheus about itself; our own names. */
export function serverFamilies({ version, startedAt, memoryBytes, counts, shipping }: ServerFacts): Family[] {
  return [
    one('info', 'gauge', 'Which server this is', 1, { version }),
    one('start_time_seconds', 'gauge', 'When it was started, Unix time', startedAt / 1_000),
    one('memory_bytes', 'gauge', 'Memory that it has', memoryBytes),
    ...counted('request', 'requests', 'Requests that were answered', counts),
    ...counted('background', 'passes', 'Passes over rows', counts),
    ...counted('call', 'cloud_calls', 'Calls to clouds', counts),
    ...(shipping === null ? [] : shippingFamilies(shipping)),
  ];
}

function shippingFamilies({ sink, ...state }: ShippingState): Family[] {
  const labels = { sink };
  return [
    one('log_waiting_bytes', 'gauge', 'Logs of jobs in the database that the service has not taken yet', state.waitingBytes, labels), // prettier-ignore
    one('log_waiting_bytes_limit', 'gauge', 'So many may wait; more wait on the hosts', state.mostBytes, labels),
    one('log_shipped_bytes_total', 'counter', 'Logs of jobs that the service took', state.shippedBytes, labels),
    one('log_refused_lines_total', 'counter', 'Lines that the service will never take', state.refusedEvents, labels),
    one('log_failures_total', 'counter', 'Rounds in which the service took nothing', state.failures, labels),
  ];
}

function counted(of: Count['of'], name: string, help: string, counts: readonly Count[]): Family[] {
  const own = counts.filter((count) => count.of === of);
  const samples = (value: (count: Count) => number) =>
    own.map((count) => ({ labels: count.labels, value: value(count) }));
  return [
    { name: `dstack_server_${name}_total`, type: 'counter', help, samples: samples(({ count }) => count) },
    {
      name: `dstack_server_${name}_seconds_total`,
      type: 'counter',
      help: `${help}: how long they took in all`,
      samples: samples(({ seconds }) => seconds),
    },
  ];
}

function one(name: string, type: Family['type'], help: string, value: number, labels: Labels = {}): Family {
  return { name: `dstack_server_${name}`, type, help, samples: [{ labels, value }] };
}
