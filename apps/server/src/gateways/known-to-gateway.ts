import { LED_REPLICAS_SINCE } from '@dstack/gateway-protocol';
import type { DesiredGateway } from './desired-state.js';

const OLD =
  'it runs on the machine of the server itself, and the program of the gateway is too old to be led there: ' +
  'start the server without DSTACK_SKIP_GATEWAY_UPDATE once';

type Told = Pick<DesiredGateway, 'state' | 'led' | 'refused'>;

/** What an older program of a gateway understands: it refuses a state as a whole. @param protocol the newest that it speaks */
export function knownTo<Desired extends Told>(desired: Desired, protocol: number): Desired {
  if (protocol >= LED_REPLICAS_SINCE || desired.led.size === 0) return desired;
  const refused = desired.state.services.flatMap(({ id: runId, replicas }) =>
    replicas.flatMap(({ id: jobId }) => (desired.led.has(jobId) ? [{ runId, jobId, message: OLD }] : [])),
  );
  const services = desired.state.services.map((service) => ({
    ...service,
    replicas: service.replicas.filter(({ id }) => !desired.led.has(id)),
  }));
  return {
    ...desired,
    led: new Map(),
    state: { ...desired.state, services },
    refused: [...desired.refused, ...refused],
  };
}
