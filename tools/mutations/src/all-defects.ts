import type { Defect } from './defect.js';
import { BLOCK_DEFECTS } from './defects/blocks.js';
import { GATEWAY_DEFECTS } from './defects/gateways.js';
import { HOST_DEFECTS } from './defects/hosts.js';
import { LEASE_DEFECTS } from './defects/leases.js';
import { LOG_DEFECTS } from './defects/logs.js';
import { MACHINE_DEFECTS } from './defects/machines.js';
import { MONEY_DEFECTS } from './defects/money.js';
import { RUN_DEFECTS } from './defects/runs.js';
import { VOLUME_DEFECTS } from './defects/volumes.js';
import { WAKE_UP_DEFECTS } from './defects/wake-ups.js';

export const ALL_DEFECTS: readonly Defect[] = [
  ...MACHINE_DEFECTS,
  ...BLOCK_DEFECTS,
  ...LEASE_DEFECTS,
  ...WAKE_UP_DEFECTS,
  ...LOG_DEFECTS,
  ...RUN_DEFECTS,
  ...MONEY_DEFECTS,
  ...HOST_DEFECTS,
  ...VOLUME_DEFECTS,
  ...GATEWAY_DEFECTS,
];
