const MARK = Symbol.for('@dstack/core/CronError');

export class CronError extends Error {
  override readonly name = 'CronError';
  readonly [MARK] = true;
}

/** A parsed five-field expression. Weekday 0 is Monday, and a day must match both its month day and its weekday. */
export interface Cron {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly monthDays: ReadonlySet<number>;
  readonly lastMonthDay: boolean;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** @throws {CronError} that names the field */
export function parseCron(expression: string): Cron {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5) {
    throw new CronError(`cron '${expression}' has ${fields.length} fields, not 5: minute hour day month weekday`);
  }
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = fields;
  const dayItems = day.toLowerCase().split(',');
  const lastMonthDay = dayItems.includes('last');
  const plainDays = dayItems.filter((item) => item !== 'last').join(',');
  return {
    minutes: parseField(minute, { name: 'minute', min: 0, max: 59 }),
    hours: parseField(hour, { name: 'hour', min: 0, max: 23 }),
    monthDays: plainDays === '' && lastMonthDay ? new Set() : parseField(plainDays, { name: 'day', min: 1, max: 31 }),
    lastMonthDay,
    months: parseField(month, { name: 'month', min: 1, max: 12, names: MONTHS }),
    weekdays: parseField(weekday, { name: 'weekday', min: 0, max: 6, names: WEEKDAYS }),
  };
}

function parseField(text: string, field: Field): ReadonlySet<number> {
  return new Set(text.split(',').flatMap((item) => parseItem(item, field)));
}

function parseItem(item: string, field: Field): number[] {
  const [range = '', step, ...more] = item.split('/');
  const every = step === undefined ? 1 : Number(step);
  if (more.length > 0 || !Number.isInteger(every) || every < 1)
    throw new CronError(`cron ${field.name} '${item}': the step must be a whole number ≥ 1`);
  const [from, to] = bounds(range, step !== undefined, field);
  if (from > to) throw new CronError(`cron ${field.name} '${item}': ${from} is after ${to}`);
  const values: number[] = [];
  for (let value = from; value <= to; value += every) values.push(value);
  return values;
}

function bounds(range: string, hasStep: boolean, field: Field): [number, number] {
  if (range === '*') return [field.min, field.max];
  const [first = '', last, ...more] = range.split('-');
  if (more.length > 0) throw new CronError(`cron ${field.name} '${range}' is not a range`);
  const from = parseValue(first, field);
  if (last !== undefined) return [from, parseValue(last, field)];
  return [from, hasStep ? field.max : from];
}

function parseValue(text: string, field: Field): number {
  const named = field.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named !== -1) return named + field.min;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= field.min && value <= field.max) return value;
  throw new CronError(
    `cron ${field.name} '${text}' must be ${field.min}–${field.max}${field.names ? ` or ${field.names.join(', ')}` : ''}`,
  );
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
// Leap days on one weekday come back within 28 years, except around a century without one.
const HORIZON_DAYS = 366 * 41;

/** The first minute after `after` that matches, in UTC; null for a day that never comes (`0 0 31 2 *`). */
export function nextCronFire(cron: Cron, after: number): number | null {
  const start = (Math.floor(after / MINUTE_MS) + 1) * MINUTE_MS;
  const firstDay = Math.floor(start / DAY_MS);
  for (let day = firstDay; day < firstDay + HORIZON_DAYS; day += 1) {
    if (!dayMatches(cron, day)) continue;
    const minute = nextMinuteOfDay(cron, day === firstDay ? (start - day * DAY_MS) / MINUTE_MS : 0);
    if (minute !== null) return day * DAY_MS + minute * MINUTE_MS;
  }
  return null;
}

/** The earliest next fire of several expressions. */
export function nextScheduledAt(expressions: string | readonly string[], after: number): number | null {
  const list = typeof expressions === 'string' ? [expressions] : expressions;
  const fires = list.map((expression) => nextCronFire(parseCron(expression), after)).filter((fire) => fire !== null);
  return fires.length === 0 ? null : Math.min(...fires);
}

function dayMatches(cron: Cron, daysSinceEpoch: number): boolean {
  const { month, day, daysInMonth } = civilDay(daysSinceEpoch);
  // 1970-01-01 was a Thursday.
  const weekday = (((daysSinceEpoch + 3) % 7) + 7) % 7;
  const monthDay = cron.monthDays.has(day) || (cron.lastMonthDay && day === daysInMonth);
  return cron.months.has(month) && monthDay && cron.weekdays.has(weekday);
}

function nextMinuteOfDay(cron: Cron, from: number): number | null {
  for (let minute = from; minute < 24 * 60; minute += 1) {
    if (cron.hours.has(Math.floor(minute / 60)) && cron.minutes.has(minute % 60)) return minute;
  }
  return null;
}

// The proleptic Gregorian calendar counted in eras of 400 years that begin in March, so that leap days come last.
function civilDay(daysSinceEpoch: number): { month: number; day: number; daysInMonth: number } {
  const shifted = daysSinceEpoch + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1;
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return { month, day, daysInMonth: lengthOfMonth(year, month) };
}

function lengthOfMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
