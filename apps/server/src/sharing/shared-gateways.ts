import { Injectable } from '@nestjs/common';
import { findGateways } from '../gateways/gateway-record.js';
import { inList } from '../persistence/in-list.js';
import type { ReadTx } from '../persistence/transaction.js';

export interface SharedGateway {
  readonly id: string;
  readonly name: string;
}

/** The gateways that exports name; links to those that are gone are not shown. */
@Injectable()
export class SharedGateways {
  named(tx: ReadTx, projectId: string, names: readonly string[]): Promise<readonly SharedGateway[]> {
    const these = inList('name', names);
    return findGateways(tx, `project_id = ? AND ${these.sql} AND deleted = ? AND deletion_requested_at IS NULL`, [
      projectId,
      ...these.params,
      false,
    ]);
  }

  byId(tx: ReadTx, ids: readonly string[]): Promise<readonly SharedGateway[]> {
    const these = inList('id', ids);
    return findGateways(tx, `${these.sql} AND deleted = ? ORDER BY name`, [...these.params, false]);
  }
}
