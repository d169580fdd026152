import { type Decision, go, type Instant, stay } from './decision.js';
import { giveUp } from './give-up.js';
import type { InstanceChanges, InstanceEffect, PendingHost } from './instance-snapshot.js';
import { doublingDelayMs, LIMITS } from './limits.js';

type HostDecision = Decision<'pending' | 'provisioning' | 'terminating', InstanceEffect, InstanceChanges>;

/** A host is tried until its time is up, unless what is wrong with it lasts. */
export function decidePendingHost(host: PendingHost, now: Instant): HostDecision {
  const { problem } = host;
  if (host.isOnboarded)
    return go('provisioning', { changes: { startedAt: now }, dueAt: now, because: 'agent installed' });
  if (host.unwanted !== null) return giveUp(host.unwanted, null, now);
  if (problem?.lasting === true) return giveUp('error', problem.message, now);
  if (now >= host.createdAt + LIMITS.onboardingMs)
    return giveUp('provisioning_timeout', problem?.message ?? 'the host could not be prepared in time', now);
  const retryMs = doublingDelayMs(host.failedTries, LIMITS.onboardRetryMinMs, LIMITS.onboardRetryMaxMs);
  return stay('pending', { effects: [{ do: 'onboard' }], dueAt: now + retryMs });
}
