import type { z } from 'zod';
import { CronError, nextCronFire, parseCron } from '../../runs/cron.js';
import { byKind } from '../schema/choice.js';
import { leaf } from '../schema/leaf.js';
import { mapping } from '../schema/mapping.js';
import { Mismatch } from '../schema/mismatch.js';
import { listOf } from '../schema/presence.js';
import { readText } from '../schema/scalars.js';

/** Each is tried day by day, over years when it is rare. */
const MOST_EXPRESSIONS = 100;

/** When a run starts by itself, in UTC; any of the expressions. */
export function schedule(): z.ZodType<{ cron: string[] }> {
  const expression = leaf({ type: 'string', pattern: '^\\s*\\S+(\\s+\\S+){4}\\s*$' }, (value) =>
    checkCron(readText(value)),
  );
  const one = expression.transform((cron) => [cron]);
  return mapping({
    cron: byKind('a cron expression or a list of them', {
      text: one,
      list: listOf(expression, { min: 1, max: MOST_EXPRESSIONS }),
    }),
  });
}

/** What the scheduler cannot read is refused where it is written. */
function checkCron(expression: string): string {
  try {
    if (nextCronFire(parseCron(expression), 0) === null)
      throw new CronError(`cron '${expression}' names a day that never comes`);
    return expression;
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    throw new Mismatch(error.message, { expected: 'five fields: minute hour day month weekday' });
  }
}
