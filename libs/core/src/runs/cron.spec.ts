import { CronError, nextCronFire, nextScheduledAt, parseCron } from './cron.js';

const at = (text: string) => Date.parse(`${text}:00Z`);
const next = (expression: string, after: string) => {
  const fire = nextCronFire(parseCron(expression), at(after));
  return fire === null ? null : new Date(fire).toISOString().slice(0, 16);
};

it.each([
  ['* * * * *', '2026-11-23T10:00', '2026-11-23T10:01'],
  ['0 8 * * *', '2026-11-23T08:00', '2026-11-24T08:00'],
  ['*/15 * * * *', '2026-11-23T10:14', '2026-11-23T10:15'],
  ['5/20 * * * *', '2026-11-23T10:26', '2026-11-23T10:45'],
  ['0 0 1 * *', '2026-12-15T00:00', '2027-01-01T00:00'],
  ['0 0 * * 0', '2026-11-24T00:00', '2026-11-30T00:00'],
  ['0 0 * * mon-fri', '2026-11-28T00:00', '2026-11-30T00:00'],
  ['0 0 * * sun', '2026-11-23T00:00', '2026-11-29T00:00'],
  ['0 0 last * *', '2028-02-01T00:00', '2028-02-29T00:00'],
  ['0 0 15,last * *', '2026-11-16T00:00', '2026-11-30T00:00'],
  ['0 0 29 2 *', '2026-03-01T00:00', '2028-02-29T00:00'],
  ['0 0 13 * 4', '2026-11-23T00:00', '2027-08-13T00:00'],
  ['30 9-17/4 * jan,jul *', '2026-11-23T00:00', '2027-01-01T09:30'],
  ['0 0 31 2 *', '2026-01-01T00:00', null],
])('%s after %s fires at %s', (expression, after, expected) => expect(next(expression, after)).toBe(expected));

it('takes the earliest of several', () => {
  expect(nextScheduledAt(['0 8 * * *', '0 6 * * *'], at('2026-11-23T00:00'))).toBe(at('2026-11-23T06:00'));
});

it('agrees with the calendar for every day of a century', () => {
  const midnight = parseCron('0 0 last * *');
  for (let year = 2000; year < 2100; year += 1) {
    for (let month = 0; month < 12; month += 1) {
      const last = Date.UTC(year, month + 1, 0);
      expect(
        nextCronFire(midnight, Date.UTC(year, month, 1) - 60_000 + (last === Date.UTC(year, month, 1) ? 0 : 60_000)),
      ).toBe(last);
    }
  }
});

it.each([
  ['* * * *', /4 fields/],
  ['60 * * * *', /minute '60' must be 0–59/],
  ['* * * * 7', /weekday '7'/],
  ['@daily', /1 fields/],
  ['5-1 * * * *', /5 is after 1/],
  ['*/0 * * * *', /step/],
  ['* * 0 * *', /day '0'/],
  ['a * * * *', /minute 'a'/],
])('refuses %s', (expression, message) => {
  expect(() => parseCron(expression)).toThrow(CronError);
  expect(() => parseCron(expression)).toThrow(message);
});
