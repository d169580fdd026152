import { Injectable } from '@nestjs/common';
import type { ReadTx } from '../persistence/transaction.js';
import type { GatewayRecord } from './gateway-record.js';
import { findReplicasOf } from './gateway-replica-record.js';
import { type ExplainedGateway, toWireGateway } from './gateway-view.js';

/** Gateway rows as clients of a project see them, which is their own or one that imports them. */
@Injectable()
export class GatewayReader {
  async wire(tx: ReadTx, gateways: readonly GatewayRecord[], viewerId: string): Promise<ExplainedGateway[]> {
    const wire: ExplainedGateway[] = [];
    const [viewer] = await tx.query<{ default_gateway_id: string | null }>(
      'SELECT default_gateway_id FROM projects WHERE id = ?',
      [viewerId],
    );
    for (const gateway of gateways) {
      const [owner] = await tx.query<{ name: string }>('SELECT name FROM projects WHERE id = ?', [gateway.projectId]);
      wire.push(
        toWireGateway({
          gateway,
          replicas: await findReplicasOf(tx, gateway.id),
          projectName: owner?.name ?? '',
          isDefault: viewer?.default_gateway_id === gateway.id,
        }),
      );
    }
    return wire;
  }
}
