import { isAskedFromOutside, type Wire } from '@dstack/core';
import type { RunRecord } from '../runs/run-record.js';

/** Whether the gateway of the run has to come to its replicas of that kind. */
export function isAskedByGateway(
  { gatewayId, spec }: Pick<RunRecord, 'gatewayId' | 'spec'>,
  { replica_group: group = '0' }: Pick<Wire.JobSpec, 'replica_group'>,
): boolean {
  return gatewayId !== null && isAskedFromOutside(spec.configuration, group);
}
