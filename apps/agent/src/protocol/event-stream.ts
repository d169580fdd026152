import type { ServerResponse } from 'node:http';
import type { ControlEvent, HostHealth, JobState } from '@dstack/agent-protocol';
import type { AgentService } from './agent-service.js';

export interface EventTiming {
  readonly heartbeatMs: number;
  readonly metricsMs: number;
}

/** A reader this far behind gets a new connection, and with it a new snapshot, instead of our memory. */
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;

export function streamEvents(
  service: AgentService,
  response: ServerResponse,
  ended: AbortSignal,
  timing: EventTiming,
  now: () => number,
): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const send = (event: ControlEvent): void => {
    if (response.writableLength > MAX_UNSENT_BYTES) response.destroy();
    else response.write(`${JSON.stringify(event)}\n`);
  };
  send({ type: 'snapshot', at: now(), jobs: service.jobs() });
  const forget = service.onChange((job: JobState) => {
    send({ type: 'job', at: now(), job });
  });
  const heartbeat = setInterval(() => {
    send({ type: 'heartbeat', at: now() });
  }, timing.heartbeatMs);
  let told = '';
  const tellHealth = (health: HostHealth): void => {
    const text = JSON.stringify(health);
    if (text !== told) send({ type: 'health', at: now(), health });
    told = text;
  };
  const measure = (): void => {
    const ignore = (): undefined => undefined;
    void service.metrics().then((samples) => {
      for (const { jobId, metrics } of samples) send({ type: 'metrics', at: now(), jobId, metrics });
    }, ignore);
    void service.health().then(tellHealth, ignore);
  };
  void service.health().then(tellHealth, () => undefined);
  const metrics = setInterval(measure, timing.metricsMs);
  const stop = (): void => {
    forget();
    clearInterval(heartbeat);
    clearInterval(metrics);
    ended.removeEventListener('abort', close);
  };
  const close = (): void => {
    response.destroy();
  };
  response.once('close', stop);
  ended.addEventListener('abort', close, { once: true });
}
