import { createGatewayClient, type GatewayApi } from '@dstack/gateway-protocol';
import { Inject, Injectable } from '@nestjs/common';
import { INSTALLATION, type Installation } from '../bootstrap/installation.js';
import { Database } from '../persistence/database.js';
import { GatewayConnector } from './gateway-connector.js';
import { GatewayDialer } from './gateway-dialer.js';
import { findGatewayReplicas } from './gateway-replica-record.js';

@Injectable()
export class SshGatewayConnector extends GatewayConnector {
  constructor(
    private readonly db: Database,
    @Inject(GatewayDialer) private readonly dialer: GatewayDialer,
    @Inject(INSTALLATION) private readonly installation: Installation,
  ) {
    super();
  }

  async connect(replicaId: string, signal: AbortSignal): Promise<GatewayApi> {
    const [replica] = await this.db.read((tx) => findGatewayReplicas(tx, 'id = ?', [replicaId]));
    if (replica === undefined) throw new Error('the gateway replica is gone');
    const { connection, hostname } = await this.dialer.dial(replica, signal);
    try {
      const { ensureGateway, gatewayPaths } = await import('@dstack/backend-ssh/hosts');
      const owner = this.installation.id;
      // A host that was restarted does not start it everywhere.
      await ensureGateway({ connection, hostname, owner, instance: replicaId, signal });
      const client = createGatewayClient({ connect: () => connection.openUnix(gatewayPaths(owner).socket) });
      const close = (): void => {
        client.close();
        connection.close();
      };
      return Object.assign(Object.create(client) as GatewayApi, { close });
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}
