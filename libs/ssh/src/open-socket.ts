import { connect as connectTcp, type Socket } from 'node:net';
import { SshError } from './ssh-failure.js';
import type { SshTarget } from './ssh-target.js';

/** Our own socket, because ssh2's keeps Nagle's delay: 45 ms for each small request. Resolves when it is connected. */
export function openSocket(
  { host, port }: SshTarget,
  { where, signal, timeoutMs }: { readonly where: string; readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port, noDelay: true });
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.off('error', fail);
    };
    const fail = (error: Error): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const abort = (): void => fail(signal.reason as Error);
    const timer = setTimeout(() => {
      fail(new SshError('timeout', `${where} did not answer in time: check the address, the port and firewalls`));
    }, timeoutMs);
    socket.once('connect', () => {
      settle();
      // Nobody may listen for a while; that it is gone is seen by who uses it.
      socket.on('error', () => undefined);
      resolve(socket);
    });
    socket.on('error', fail);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
