import type { BackendsService, BuiltWorkload } from '@dstack/server/parts';
import type { ServerEpoch } from './server-epoch.js';

/** One server as its users reach it. */
export interface Front {
  readonly epoch: ServerEpoch;
  readonly runs: BuiltWorkload['runs'];
  readonly fleets: BuiltWorkload['fleets'];
  readonly volumes: BuiltWorkload['volumes'];
  readonly gateways: BuiltWorkload['gateways'];
  readonly backends: BackendsService;
  readonly traffic: BuiltWorkload['traffic'];
}
