import { connect } from 'node:net';
import { join } from 'node:path';
import { createGatewayClient } from '@dstack/gateway-protocol';
import type { Replica } from './replica.js';

export interface LeadingServer {
  /** Its connection to the gateway breaks, with all that goes over it. */
  leave(): void;
}

/** The half of a server that leads a gateway to replicas. Those it does not know are refused. */
export function leadTo(dir: string, replicas: readonly Replica[], ready = 4): LeadingServer {
  const client = createGatewayClient({ connect: join(dir, 'gateway.sock') });
  const left = new AbortController();
  const loop = async (): Promise<void> => {
    while (!left.signal.aborted) {
      const asked = await client.ledConnection(left.signal).catch(() => null);
      if (asked === null) continue;
      const replica = replicas.find(({ name }) => name === asked.replicaId);
      if (replica === undefined) {
        asked.refuse('the server leads to no such replica');
        continue;
      }
      const stream = connect({ host: '127.0.0.1', port: replica.port, allowHalfOpen: true });
      stream.once('connect', () => {
        const gateway = asked.accept();
        for (const each of [stream, gateway]) each.on('error', () => [stream, gateway].map((end) => end.destroy()));
        stream.once('close', () => gateway.destroy());
        gateway.once('close', () => stream.destroy());
        gateway.pipe(stream).pipe(gateway);
      });
      stream.once('error', (error) => asked.refuse(error.message));
    }
  };
  for (let index = 0; index < ready; index += 1) void loop();
  return {
    leave() {
      left.abort(new Error('the server is gone'));
      client.close();
    },
  };
}
