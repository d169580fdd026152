import type { SshConnection, SshTarget } from '@dstack/ssh';
import type { SshHop } from '@dstack/core';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import { readJsonOrNull, writeJson } from '../reconcile/stored-json.js';
import { SETTINGS, type ServerSettings } from '../settings/settings.js';
import type { GatewayReplicaRecord } from './gateway-replica-record.js';
import { GatewaySecrets } from './gateway-secrets.js';
import type { HostKeys } from './reach-replica.js';

// A login over a jump host takes long.
const MIN_CONNECT_MS = 10_000;

/** Opens SSH connections to the machines of gateways, pinning their keys on first use. */
@Injectable()
export class GatewayDialer {
  constructor(
    private readonly db: Database,
    @Inject(GatewaySecrets) private readonly secrets: GatewaySecrets,
    @Inject(SETTINGS) private readonly settings: Pick<ServerSettings, 'sshConnectTimeoutSeconds'>,
  ) {}

  /** @throws {SshError} */
  async dial(
    replica: GatewayReplicaRecord,
    signal: AbortSignal,
  ): Promise<{ readonly connection: SshConnection; readonly hostname: string }> {
    const { host, seen } = await this.db.read(async (tx) => {
      const [row] = await tx.query<{ host_keys: string | null }>(
        'SELECT host_keys FROM gateway_replicas WHERE id = ?',
        [replica.id],
      );
      return {
        host: await this.secrets.hostOf(tx, replica),
        seen: readJsonOrNull<HostKeys>(row?.host_keys ?? null),
      };
    });
    // Only who has hosts pays for loading SSH.
    const { openSshConnection } = await import('@dstack/ssh');
    const connectTimeoutMs = Math.max(this.settings.sshConnectTimeoutSeconds * 1000, MIN_CONNECT_MS);
    const jump = host.jump === null ? null : target(host.jump, seen?.jump ?? null, null);
    const connection = await openSshConnection(target(host, seen?.host ?? null, jump), { signal, connectTimeoutMs });
    if (seen === null) await this.pin(replica.id, { host: connection.hostKey, jump: connection.jumpHostKey });
    return { connection, hostname: host.hostname };
  }

  private async pin(replicaId: string, keys: HostKeys): Promise<void> {
    await this.db.write((tx) =>
      tx.execute('UPDATE gateway_replicas SET host_keys = ? WHERE id = ? AND host_keys IS NULL', [
        writeJson(keys),
        replicaId,
      ]),
    );
  }
}

function target(
  { hostname, port, user, privateKeys }: SshHop,
  pinnedHostKey: string | null,
  jump: SshTarget | null,
): SshTarget {
  return { host: hostname, port, user, privateKeys, pinnedHostKey, jump };
}
