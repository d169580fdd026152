import { Injectable } from '@nestjs/common';
import type { ReadTx } from '../persistence/transaction.js';

export interface SharedGateway {
  readonly id: string;
  readonly name: string;
}

/** The gateways that exports name. Whoever has gateways provides how they are found; links to those that are gone are not shown. */
export abstract class SharedGateways {
  abstract named(tx: ReadTx, projectId: string, names: readonly string[]): Promise<readonly SharedGateway[]>;
  abstract byId(tx: ReadTx, ids: readonly string[]): Promise<readonly SharedGateway[]>;
}

/** Of a server without gateways. */
@Injectable()
export class NoGateways extends SharedGateways {
  named(): Promise<readonly SharedGateway[]> {
    return Promise.resolve([]);
  }

  byId(): Promise<readonly SharedGateway[]> {
    return Promise.resolve([]);
  }
}
