import { Inject, Injectable } from '@nestjs/common';
import type { SshHost } from '@dstack/core';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { readJson, writeJson } from '../reconcile/stored-json.js';
import { generateKeyPair } from '../ssh-keys/generate-key-pair.js';
import type { GatewayReplicaRecord } from './gateway-replica-record.js';

export interface SealedGatewayKeys {
  readonly publicKey: string;
  readonly privateKey: string;
}

/** The keys of gateways at rest: always through the keyring, never in a record that is passed around. */
@Injectable()
export class GatewaySecrets {
  constructor(@Inject(Keyring) private readonly keyring: Keyring) {}

  newPair(gatewayName: string): SealedGatewayKeys {
    const { publicKey, privateKey } = generateKeyPair(`dstack-gateway-${gatewayName}`);
    return { publicKey, privateKey: this.keyring.encrypt(privateKey) };
  }

  /** With which it goes to the hosts of replicas. */
  async privateKey(tx: ReadTx, gatewayId: string): Promise<string> {
    const [row] = await tx.query<{ ssh_private_key: string }>('SELECT ssh_private_key FROM gateways WHERE id = ?', [
      gatewayId,
    ]);
    if (row === undefined) throw new Error(`there is no gateway ${gatewayId}`);
    return this.keyring.decrypt(row.ssh_private_key);
  }

  seal(hosts: readonly SshHost[]): string {
    return this.keyring.encrypt(writeJson(hosts));
  }

  /** New keys for the same hosts. Returns whether there are any. */
  async writeHosts(tx: WriteTx, gatewayId: string, hosts: readonly SshHost[]): Promise<boolean> {
    const [row] = await tx.query<{ host_access: string | null }>('SELECT host_access FROM gateways WHERE id = ?', [
      gatewayId,
    ]);
    if (row?.host_access && this.keyring.tryDecrypt(row.host_access) === writeJson(hosts)) return false;
    await tx.execute('UPDATE gateways SET host_access = ? WHERE id = ?', [this.seal(hosts), gatewayId]);
    return true;
  }

  /** How the server logs in to the machine of a replica. @throws while it has none */
  async hostOf(tx: ReadTx, replica: GatewayReplicaRecord): Promise<SshHost> {
    const [row] = await tx.query<{ host_access: string | null; ssh_private_key: string }>(
      'SELECT g.host_access, p.ssh_private_key FROM gateways g JOIN projects p ON p.id = g.project_id WHERE g.id = ?',
      [replica.gatewayId],
    );
    if (row?.host_access) {
      const hosts = readJson<SshHost[]>(this.keyring.decrypt(row.host_access));
      const host = hosts.find(({ hostname }) => hostname === replica.hostName);
      if (host !== undefined) return host;
    }
    const login = replica.machine?.login ?? null;
    if (row === undefined || login === null) throw new Error(`nobody logs in to gateway replica ${replica.id} yet`);
    const privateKeys = [this.keyring.decrypt(row.ssh_private_key)];
    const { host, port, user, jump } = login;
    return {
      hostname: host,
      port,
      user,
      privateKeys,
      jump: jump === null ? null : { hostname: jump.host, port: jump.port, user: jump.user, privateKeys },
      internalIp: null,
      network: null,
      blocks: 1,
    };
  }
}
