import { FAULTS, type Faults, NO_FAULTS } from './faults.js';
import type { RandomSource } from './random-source.js';

/** Faults that have one cause: a story has all of them or none. What is drawn once per story in any case is in none of the groups. */
const GROUPS: readonly (readonly (keyof Faults)[])[] = [
  ['crash', 'longOutage'],
  ['freeze'],
  ['databaseOutageMs', 'lostCommit', 'lostNotice'],
  ['clockStepMs', 'wrongAgentClock'],
  ['lostRequest', 'lostReply'],
  ['lateRequest', 'lateReply', 'repeatedRequest'],
  ['throttled', 'cloudError'],
  ['noCapacity'],
  ['vanish', 'neverReady', 'bootFailure'],
  ['spotInterruption', 'slowTermination'],
  ['quietAgent', 'agentTroubleMs'],
  ['repeatedEvent'],
  ['brokenHost'],
];
const IS_ABSENT = 0.35;

/**
 * Some of the usual faults: where everything goes wrong, one trouble ends what another would have needed – no machine that is lost early
 * shows what a late answer does to it.
 */
export function drawFaults(random: RandomSource): Faults {
  const absent = GROUPS.filter(() => random.chance(IS_ABSENT)).flat();
  return { ...FAULTS, ...Object.fromEntries(absent.map((fault) => [fault, NO_FAULTS[fault]])) };
}
