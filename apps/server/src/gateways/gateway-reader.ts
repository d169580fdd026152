import { Injectable } from '@nestjs/common';
import type { ReadTx } from '../persistence/transaction.js';
import type { GatewayRecord } from './gateway-record.js';
import { findReplicasOf } from './gateway-replica-record.js';
import { type ExplainedGateway, toWireGateway } from './gateway-view.js';

/** Gateway rows as clients see them. */
@Injectable()
export class GatewayReader {
  /** @param viewerId the project that looks: what its default is */
  async wire(tx: ReadTx, viewerId: string, gateways: readonly GatewayRecord[]): Promise<ExplainedGateway[]> {
    const [viewer] = await tx.query<{ default_gateway_id: string | null }>(
      'SELECT default_gateway_id FROM projects WHERE id = ?',
      [viewerId],
    );
    const wire: ExplainedGateway[] = [];
    for (const gateway of gateways) {
      const [project] = await tx.query<{ name: string }>('SELECT name FROM projects WHERE id = ?', [gateway.projectId]);
      wire.push(
        toWireGateway({
          gateway,
          replicas: await findReplicasOf(tx, gateway.id),
          projectName: project?.name ?? '',
          isDefault: viewer?.default_gateway_id === gateway.id,
        }),
      );
    }
    return wire;
  }
}
