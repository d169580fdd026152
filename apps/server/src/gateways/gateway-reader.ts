import { Injectable } from '@nestjs/common';
import type { ReadTx } from '../persistence/transaction.js';
import type { GatewayRecord } from './gateway-record.js';
import { findReplicasOf } from './gateway-replica-record.js';
import { type ExplainedGateway, toWireGateway } from './gateway-view.js';

/** Gateway rows as clients see them. */
@Injectable()
export class GatewayReader {
  async wire(tx: ReadTx, gateways: readonly GatewayRecord[]): Promise<ExplainedGateway[]> {
    const wire: ExplainedGateway[] = [];
    for (const gateway of gateways) {
      const [project] = await tx.query<{ name: string; default_gateway_id: string | null }>(
        'SELECT name, default_gateway_id FROM projects WHERE id = ?',
        [gateway.projectId],
      );
      wire.push(
        toWireGateway({
          gateway,
          replicas: await findReplicasOf(tx, gateway.id),
          projectName: project?.name ?? '',
          isDefault: project?.default_gateway_id === gateway.id,
        }),
      );
    }
    return wire;
  }
}
