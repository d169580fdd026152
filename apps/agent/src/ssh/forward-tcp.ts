import * as net from 'node:net';
import type { Connection } from 'ssh2';
import { joinStreams } from './join-streams.js';
import type { LogEndpoint } from './log-endpoint.js';

/** Where clients of dstack 0.21 look for a job's log. */
const LOG_PORT = 10999;
const CONNECT_TIMEOUT_MS = 15_000;

/** `-L`, `-D`, ProxyJump: connections from here to wherever the job could connect to itself. */
export function forwardTcp(client: Connection, logEndpoint: LogEndpoint): void {
  client.on('tcpip', (accept, reject, info) => {
    if (info.destPort === LOG_PORT && isLoopback(info.destIP)) {
      logEndpoint.serve(accept());
      return;
    }
    const target = net.connect({ host: info.destIP, port: info.destPort, noDelay: true, allowHalfOpen: true });
    const timer = setTimeout(() => {
      target.destroy(new Error('timeout'));
    }, CONNECT_TIMEOUT_MS);
    target.once('error', reject);
    target.once('close', () => {
      clearTimeout(timer);
    });
    target.once('connect', () => {
      clearTimeout(timer);
      target.off('error', reject);
      // The client may have gone while we connected.
      const channel: ReturnType<typeof accept> | undefined = accept();
      if (channel === undefined) target.destroy();
      else joinStreams(channel, target);
    });
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1';
}
