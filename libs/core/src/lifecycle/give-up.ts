import type { InstanceTerminationReason } from '../wire/enums.js';
import { type Decision, go, type Instant } from './decision.js';
import type { InstanceChanges, InstanceEffect } from './instance-snapshot.js';

export function giveUp(
  reason: InstanceTerminationReason,
  message: string | null,
  now: Instant,
): Decision<'terminating', InstanceEffect, InstanceChanges> {
  return go('terminating', {
    changes: { reason, message },
    dueAt: now,
    because: message === null ? reason : `${reason}: ${message}`,
  });
}
