import { BackendError } from './backend-error.js';
import { type Call, withinCall } from './call.js';
import { Kept } from './kept.js';

const KEPT_MS = 1_000;
const DAY_MS = 86_400_000;
const never = new AbortController().signal;
const call = (leftMs: number, signal: AbortSignal = never): Call => ({ signal, deadline: Date.now() + leftMs });

/** A cloud that answers when it is told to. */
class Cloud {
  readonly asked: PromiseWithResolvers<string>[] = [];
  now = Date.now();
  readonly kept = new Kept<string>(KEPT_MS, () => this.now);

  get(by: Call, key = 'zones'): Promise<string> {
    return this.kept.get(key, by, () => {
      const answer = Promise.withResolvers<string>();
      this.asked.push(answer);
      return withinCall(by, () => answer.promise);
    });
  }

  answer(value: string): void {
    this.asked.at(-1)?.resolve(value);
  }

  fail(kind: 'outage' | 'credentials'): void {
    this.asked.at(-1)?.reject(new BackendError({ kind, blocks: 'account' }, `the cloud says ${kind}`));
  }
}

it('asks once at a time, and keeps the answer for a while', async () => {
  const cloud = new Cloud();
  const both = [cloud.get(call(DAY_MS)), cloud.get(call(DAY_MS))];
  cloud.answer('a');
  expect(await Promise.all(both)).toEqual(['a', 'a']);
  expect(await cloud.get(call(DAY_MS))).toBe('a');
  expect(cloud.asked).toHaveLength(1);
  cloud.now += KEPT_MS;
  const later = cloud.get(call(DAY_MS));
  cloud.answer('b');
  expect(await later).toBe('b');
});

it('does not keep failures', async () => {
  const cloud = new Cloud();
  const first = cloud.get(call(DAY_MS));
  cloud.fail('outage');
  await expect(first).rejects.toThrow('outage');
  const second = cloud.get(call(DAY_MS));
  cloud.answer('a');
  expect(await second).toBe('a');
});

it.each([
  ['whose time is over', (cloud: Cloud) => cloud.get(call(20))],
  ['who gives up', (cloud: Cloud) => cloud.get(call(2 * DAY_MS, AbortSignal.timeout(20)))],
])('asks again for who has time left when it was asked for by somebody %s', async (_, ask) => {
  const cloud = new Cloud();
  const hasty = ask(cloud);
  const patient = [cloud.get(call(DAY_MS)), cloud.get(call(DAY_MS))];
  await expect(hasty).rejects.toThrow();
  while (cloud.asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
  cloud.answer('a');
  expect(await Promise.all(patient)).toEqual(['a', 'a']);
  expect(cloud.asked).toHaveLength(2);
});

it('lets nobody wait longer than he has time', async () => {
  const cloud = new Cloud();
  const patient = cloud.get(call(DAY_MS));
  await expect(cloud.get(call(20))).rejects.toThrow('before the deadline');
  await expect(cloud.get(call(DAY_MS, AbortSignal.abort(new Error('given up'))))).rejects.toThrow('given up');
  cloud.answer('a');
  expect(await patient).toBe('a');
  expect(cloud.asked).toHaveLength(1);
});

it.each([
  ['what the cloud answers', 'credentials', 1, 2],
  ['an outage that another with no less time has met', 'outage', 2, 1],
] as const)('tells all who wait: %s', async (_, kind, firstDays, secondDays) => {
  const cloud = new Cloud();
  const both = [cloud.get(call(firstDays * DAY_MS)), cloud.get(call(secondDays * DAY_MS))];
  cloud.fail(kind);
  for (const each of both) await expect(each).rejects.toThrow(kind);
  expect(cloud.asked).toHaveLength(1);
});
