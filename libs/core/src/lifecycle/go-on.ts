import { decideInstance, type InstanceDecision } from './decide-instance.js';
import type { Instant } from './decision.js';
import type { InstanceSnapshot, UnlaunchedInstance } from './instance-snapshot.js';

/** What a pass has brought. */
export type AttemptNews = Partial<Pick<UnlaunchedInstance, 'openAttempt' | 'attemptsMade' | 'machine'>>;

/**
 * What is decided next about a machine that is being made, with the news of this pass, so that both are one commit; null: nothing but what has
 * to wait for it. An effect rests on what is committed, so only another status is decided at once.
 */
export function goOn(instance: InstanceSnapshot, news: AttemptNews, now: Instant): InstanceDecision | null {
  if ((instance.status !== 'pending' && instance.status !== 'launching') || instance.given) return null;
  const decision = decideInstance({ ...instance, ...news }, now);
  return decision.because === null || decision.effects.length > 0 ? null : decision;
}
