import { DOOR_USER } from '@dstack/agent-protocol';
import type { AgentAddress } from '@dstack/backend-base';
import type { GatewayReplica, SshHop } from '@dstack/gateway-protocol';
import { kindOfOffer, type SshHost } from '@dstack/core';
import type { InstanceRecord } from '../instances/instance-record.js';
import type { JobRecord } from '../jobs/job-record.js';

export interface HostKeys {
  readonly host: string;
  readonly jump: string | null;
}

export interface ReachedReplica {
  readonly replica: GatewayReplica;
  /** Private keys that its hops need beside the gateway's own. */
  readonly keys: readonly { readonly id: string; readonly privateKey: string }[];
}

export interface ReplicaFacts {
  readonly job: Pick<JobRecord, 'id' | 'replicaGroup' | 'runtimeRecord'>;
  readonly instance: InstanceRecord;
  readonly hostKeys: HostKeys | null;
  /** As its fleet says; null: the machine is rented. */
  readonly host: SshHost | null;
}

export const GATEWAY_KEY = 'gateway';

type SshAddress = Extract<AgentAddress, { via: 'ssh' }>;

interface JumpWay {
  readonly hop: SshHop;
  /** Where it is not the gateway's own. */
  readonly key?: { readonly id: string; readonly privateKey: string };
}

/** How a gateway comes to a replica, or why it cannot. */
export function reachReplica({
  job,
  instance,
  hostKeys,
  host,
}: ReplicaFacts): ReachedReplica | { readonly problem: string } {
  const agent = instance.machine?.agent ?? null;
  if (agent === null) return { problem: 'its machine cannot be reached any more' };
  // This server's own machine may be behind anything.
  if (agent.via === 'unix')
    return { replica: { id: job.id, group: job.replicaGroup, hops: [], remote: { kind: 'server' } }, keys: [] };
  const servicePort = job.runtimeRecord.agent?.servicePort;
  if (servicePort === undefined)
    return {
      problem:
        'the agent of its host or container has not opened a way for the gateway (yet): it may be of an older version',
    };
  const jump = agent.jump === null ? null : jumpWay(agent.jump, { instance, host, hostKeys });
  if (agent.jump !== null && jump === null)
    return { problem: 'its machine is reached through another one, whose key is not the gateway’s to know' };
  const door: SshHop = {
    host: agent.host,
    port: agent.port,
    user: DOOR_USER,
    keyId: GATEWAY_KEY,
    hostKey: hostKeys?.host ?? agent.hostKey,
  };
  return {
    replica: {
      id: job.id,
      group: job.replicaGroup,
      hops: [...(jump === null ? [] : [jump.hop]), door],
      remote: { kind: 'tcp', host: '127.0.0.1', port: servicePort },
    },
    keys: jump?.key === undefined ? [] : [jump.key],
  };
}

function jumpWay(
  jump: NonNullable<SshAddress['jump']>,
  { instance, host, hostKeys }: Pick<ReplicaFacts, 'instance' | 'host' | 'hostKeys'>,
): JumpWay | null {
  if (kindOfOffer(instance.offer) !== 'containers') return jumpHop(host, hostKeys);
  // Our agent before containers leads whoever they let in, so the gateway's own key does.
  return { hop: { ...jump, keyId: GATEWAY_KEY, hostKey: hostKeys?.jump ?? null } };
}

/** The user's own machine before the user's hosts; whoever is to go through it needs its key. */
function jumpHop(host: SshHost | null, hostKeys: HostKeys | null): JumpWay | null {
  const jump = host?.jump ?? null;
  const [privateKey] = jump?.privateKeys ?? [];
  if (jump === null || privateKey === undefined) return null;
  const id = `jump-${jump.hostname}-${jump.port}`.replace(/[^A-Za-z0-9_.-]/g, '_').slice(0, 128);
  const hop: SshHop = {
    host: jump.hostname,
    port: jump.port,
    user: jump.user,
    keyId: id,
    hostKey: hostKeys?.jump ?? null,
  };
  return { hop, key: { id, privateKey } };
}
