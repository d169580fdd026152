import type { MachineState } from '@dstack/backend-base';
import { podState } from './pod-state.js';
import { gatewayRefOf } from './refs.js';
import type { Pod, Service } from './schema.js';

/** What is slow on a cluster – a node that is added, a load balancer of its cloud – is there by then, or does not come. */
const PATIENCE_MS = 10 * 60_000;

/** A gateway is there when its pod runs and its service has an address. */
export function gatewayState(pod: Pod, service: Service | null, now: number): MachineState {
  const ref = gatewayRefOf(pod);
  const state = podState(pod);
  const createdAt = pod.metadata.creationTimestamp ? Date.parse(pod.metadata.creationTimestamp) : now;
  const wait = (reason: string, message = reason): MachineState =>
    now < createdAt + PATIENCE_MS ? { state: 'pending', ref, reason } : { state: 'failed', ref, message };
  switch (state.state) {
    case 'gone':
      return state;
    case 'failed':
      return { state: 'failed', ref, message: state.message };
    case 'starting':
      return wait(state.reason);
    case 'unschedulable':
      return wait(state.message);
    case 'running': {
      const address = addressOf(service);
      if (address !== null)
        return {
          state: 'ready',
          ref,
          agent: { via: 'login', host: address, port: 22, user: 'root', jump: null },
          hostname: address,
          internalIp: state.ip,
        };
      const name = pod.metadata.name;
      return wait(
        `service ${name} has no address yet`,
        `the cluster gave service ${name} no address: it seems to have nothing that serves services of type LoadBalancer`,
      );
    }
  }
}

function addressOf(service: Service | null): string | null {
  const [ingress] = service?.status?.loadBalancer?.ingress ?? [];
  return ingress?.hostname || ingress?.ip || null;
}
