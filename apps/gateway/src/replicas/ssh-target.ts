import { createHash } from 'node:crypto';
import type { GatewayReplica, SshHop } from '@dstack/gateway-protocol';
import type { SshTarget } from '@dstack/ssh';

/** The last hop, through those before it. @throws when a hop names a key that is not there */
export function sshTarget(hops: readonly SshHop[], keys: ReadonlyMap<string, string>): SshTarget {
  const target = hops.reduce<SshTarget | null>((jump, { host, port, user, keyId, hostKey }) => {
    const key = keys.get(keyId);
    if (key === undefined) throw new Error(`there is no key ${keyId}`);
    return { host, port, user, privateKeys: [key], pinnedHostKey: hostKey, jump };
  }, null);
  if (target === null) throw new Error('a replica without a host');
  return target;
}

/** Changes when any part of the way to the replica does, keys included. */
export function replicaIdentity(replica: GatewayReplica, keys: ReadonlyMap<string, string>): string {
  const used = replica.hops.map(({ keyId }) => keys.get(keyId));
  return createHash('sha256')
    .update(JSON.stringify([replica, used]))
    .digest('hex');
}
