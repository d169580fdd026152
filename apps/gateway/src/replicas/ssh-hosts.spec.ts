import type { SshTarget } from '@dstack/ssh';
import { SshHosts } from './ssh-hosts.js';

const target: SshTarget = {
  host: 'a',
  port: 22,
  user: 'dstack-door',
  privateKeys: ['k'],
  pinnedHostKey: null,
  jump: null,
};
const at = (port: number) => ({ kind: 'tcp' as const, host: '127.0.0.1', port });

it('replicas at one port share a connection, and each other port gets one of its own', () => {
  const signals: AbortSignal[] = [];
  const hosts = new SshHosts({
    connect: (_target, signal) => {
      signals.push(signal);
      return new Promise(() => undefined);
    },
    tunnel: () => null,
    after: () => ({ cancel: () => undefined }),
    random: () => 0,
  });
  const [first, same, other] = [
    hosts.take(target, at(8000)),
    hosts.take(target, at(8000)),
    hosts.take(target, at(8001)),
  ];
  expect(same.way).toBe(first.way);
  expect(other.way).not.toBe(first.way);
  expect(signals).toHaveLength(2);
  first.release();
  first.release();
  expect(signals[0]?.aborted).toBe(false);
  same.release();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  expect(hosts.take(target, at(8000)).way).not.toBe(first.way);
});
