import type { AgentAddress } from '@dstack/backend-base';
import type { SshHost } from '@dstack/core';
import type { InstanceRecord } from '../instances/instance-record.js';
import { reachReplica, type ReplicaFacts } from './reach-replica.js';

const JUMP = { host: 'jump', port: 30_022, user: 'root' };
const ADDRESS: Extract<AgentAddress, { via: 'ssh' }> = {
  via: 'ssh',
  host: 'h',
  port: 10_022,
  user: 'root',
  hostKey: 'ssh-ed25519 KNOWN',
  socketPath: '/s',
  jump: null,
};
const GIVEN: SshHost = {
  hostname: 'h',
  port: 10_022,
  user: 'ops',
  privateKeys: ['host key'],
  jump: { hostname: 'jump', port: 30_022, user: 'ops', privateKeys: ['jump key'] },
  internalIp: null,
  network: null,
  blocks: 1,
};

/** Of the rows, what is read. */
function facts(
  agent: AgentAddress | null,
  kind: 'hosts' | 'containers',
  more: Partial<ReplicaFacts> & { readonly servicePort?: number | null } = {},
): ReplicaFacts {
  const { servicePort = 8000, ...rest } = more;
  const instance = {
    machine: { agent },
    offer: kind === 'containers' ? { instance_runtime: 'runner' } : { instance_runtime: 'shim' },
  } as unknown as InstanceRecord;
  const runtimeRecord = { agent: servicePort === null ? {} : { servicePort } };
  const job = { id: 'j', replicaGroup: '0', runtimeRecord } as unknown as ReplicaFacts['job'];
  return { job, instance, hostKeys: null, host: null, ...rest };
}
const hops = (found: ReturnType<typeof reachReplica>) => ('problem' in found ? found.problem : found.replica.hops);

describe('the way of a gateway to a replica', () => {
  it('is the server’s where that is the only one who comes there', () => {
    const found = reachReplica(facts({ via: 'unix', socketPath: '/s' }, 'hosts', { servicePort: null }));
    expect(found).toEqual({ keys: [], replica: { id: 'j', group: '0', hops: [], remote: { kind: 'server' } } });
  });

  it.each(['hosts', 'containers'] as const)('leads to %s by its own key, which opens one port', (kind) => {
    const found = reachReplica(facts(ADDRESS, kind, { hostKeys: { host: 'ssh-ed25519 SEEN', jump: null } }));
    expect(found).toEqual({
      keys: [],
      replica: {
        id: 'j',
        group: '0',
        hops: [{ host: 'h', port: 10_022, user: 'dstack-door', keyId: 'gateway', hostKey: 'ssh-ed25519 SEEN' }],
        remote: { kind: 'tcp', host: '127.0.0.1', port: 8000 },
      },
    });
  });

  it('goes through the jump host of a fleet by the key of that', () => {
    const found = reachReplica(facts({ ...ADDRESS, jump: JUMP }, 'hosts', { host: GIVEN }));
    expect(hops(found)).toMatchObject([{ host: 'jump', user: 'ops', keyId: 'jump-jump-30022' }, { host: 'h' }]);
    expect(found).toMatchObject({ keys: [{ id: 'jump-jump-30022', privateKey: 'jump key' }] });
  });

  it('goes through our own jump before containers by the gateway’s key, as that leads to whoever lets it in', () => {
    const hostKeys = { host: 'ssh-ed25519 POD', jump: 'ssh-ed25519 JUMP' };
    const found = reachReplica(facts({ ...ADDRESS, jump: JUMP }, 'containers', { hostKeys }));
    expect(hops(found)).toEqual([
      { ...JUMP, keyId: 'gateway', hostKey: 'ssh-ed25519 JUMP' },
      { host: 'h', port: 10_022, user: 'dstack-door', keyId: 'gateway', hostKey: 'ssh-ed25519 POD' },
    ]);
    expect(found).toMatchObject({ keys: [] });
  });

  it.each<[string, ReplicaFacts, string]>([
    ['whose machine is gone', facts(null, 'hosts'), 'cannot be reached any more'],
    ['whose agent opened no way', facts(ADDRESS, 'containers', { servicePort: null }), 'older version'],
    ['behind a machine of nobody’s', facts({ ...ADDRESS, jump: JUMP }, 'hosts'), 'not the gateway’s to know'],
  ])('is none to a replica %s', (_what, given, expected) => {
    expect(reachReplica(given)).toEqual({ problem: expect.stringContaining(expected) as string });
  });
});
