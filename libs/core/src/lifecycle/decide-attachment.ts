import { type Asked, mayStillArrive } from './create-call.js';
import type { Instant } from './decision.js';
import { LIMITS } from './limits.js';
import type { AttachmentFact, ReleaseFact, VolumeEffect } from './volume-snapshot.js';

export interface AttachmentDecision {
  readonly effect: VolumeEffect | null;
  /** Null: whoever changes something about it wakes the volume. */
  readonly dueAt: Instant | null;
}

/** A volume comes to a machine that is there for a job that wants it, and leaves it when the job is done with it. */
export function decideAttachment(
  attachment: AttachmentFact,
  {
    attachable,
    isElsewhere,
  }: { readonly attachable: boolean; /** It still leaves another machine. */ readonly isElsewhere: boolean },
  now: Instant,
): AttachmentDecision {
  const { release } = attachment;
  if (release === null && attachable && isElsewhere) return { effect: null, dueAt: now + LIMITS.attachRetryMs };
  if (release === null) return attachable ? bring(attachment, now) : { effect: null, dueAt: null };
  return take(attachment, release, attachable, now);
}

function bring(
  { instanceId, isAttached, machine, refusedBecause, nextTryAt }: AttachmentFact,
  now: Instant,
): AttachmentDecision {
  if (isAttached || refusedBecause !== null || machine === 'gone') return { effect: null, dueAt: null };
  if (machine !== 'ready') return { effect: null, dueAt: now + LIMITS.attachRetryMs };
  if (now < nextTryAt) return { effect: null, dueAt: nextTryAt };
  return { effect: { do: 'attach', instanceId }, dueAt: now + LIMITS.attachRetryMs };
}

function take(
  { instanceId, isAttached, wasAsked, machine, nextTryAt }: AttachmentFact,
  release: ReleaseFact,
  attachable: boolean,
  now: Instant,
): AttachmentDecision {
  if (machine === 'none' || (attachable && !isAttached && !wasAsked))
    return { effect: { do: 'forget', instanceId }, dueAt: now };
  // Bound when the machine was made: only its end lets go of it.
  if (!attachable)
    return machine === 'gone'
      ? { effect: { do: 'forget', instanceId }, dueAt: now }
      : { effect: null, dueAt: now + LIMITS.attachRetryMs };
  if (now < nextTryAt) return { effect: null, dueAt: nextTryAt };
  const forceAt = forceDetachAt(release);
  const force = forceAt !== null && now >= forceAt;
  return { effect: { do: 'detach', instanceId, force }, dueAt: now + LIMITS.detachPollMs };
}

/**
 * Whether the cloud's answer to a detach call frees the volume. What an earlier call, that nobody had the answer of, still does at this
 * machine is not to be done to the next job there.
 */
export function isDetached(
  answer: 'done' | 'pending',
  { machine }: Pick<AttachmentFact, 'machine'>,
  unanswered: Asked,
  now: Instant,
): boolean {
  return answer === 'done' && (machine === 'gone' || !mayStillArrive(unanswered, LIMITS.callArrivesMs, now));
}

/**
 * When to ask again after the cloud said that the volume has left, and an earlier call may still arrive: not before it cannot any more. Each
 * call may be one that nobody hears the answer of, and the wait would begin anew with it. Null: at the usual pace.
 */
export function detachAgainAt(answer: 'done' | 'pending', { askedAt }: Asked): Instant | null {
  return answer === 'pending' || askedAt === null ? null : askedAt + LIMITS.callArrivesMs + 1;
}

/** Never before a minute: what is still being written would be lost. Null: never. */
export function forceDetachAt({ requestedAt, stopMs, isAborted }: ReleaseFact): Instant | null {
  if (isAborted) return requestedAt + LIMITS.forceDetachMs;
  return stopMs === null ? null : requestedAt + Math.max(LIMITS.forceDetachMs, stopMs);
}
