import type { Call } from '../src/call.js';
import { Survey, type SurveyOptions } from '../src/survey.js';

const call = (over: Partial<Call> = {}): Call => ({
  signal: new AbortController().signal,
  deadline: Date.now() + 10_000,
  ...over,
});
const names = (count: number) => Array.from({ length: count }, (_, index) => `r${index}`);

let now = 0;
let asked: string[] = [];
const survey = (over: Partial<SurveyOptions<string | null>> = {}) =>
  new Survey<string | null>({
    ask: async (region) => {
      asked.push(region);
      return `of ${region}`;
    },
    isWhole: (facts) => facts !== null,
    keptMs: 600_000,
    now: () => now,
    ...over,
  });

beforeEach(() => {
  now = Date.now();
  asked = [];
});

it('asks each region once, also for many who ask, and keeps what it is told', async () => {
  const known = survey();
  const [first, second] = await Promise.all([known.of(['a', 'b'], call()), known.of(['a', 'b'], call())]);
  expect([...first]).toEqual([['a', 'of a'], ['b', 'of b']]); // prettier-ignore
  expect(second).toEqual(first);
  now += 599_000;
  await known.of(['a'], call());
  expect(asked).toEqual(['a', 'b']);
  now += 2_000;
  await known.of(['a'], call());
  expect(asked).toEqual(['a', 'b', 'a']);
});

it('asks again soon for what it was not told', async () => {
  const known = survey({ ask: async (region) => (asked.push(region), null) });
  await known.of(['a'], call());
  now += 59_000;
  await known.of(['a'], call());
  expect(asked).toEqual(['a']);
  now += 2_000;
  await known.of(['a'], call());
  expect(asked).toEqual(['a', 'a']);
});

it('gives what is known in time, and the rest the next time', async () => {
  const tell = new Map<string, (facts: string) => void>();
  const ask = (region: string) => new Promise<string>((resolve) => tell.set(region, resolve));
  const known = survey({ ask, patienceMs: 20 });
  const first = known.of(['a', 'b'], call());
  tell.get('a')?.('of a');
  expect([...(await first)]).toEqual([['a', 'of a']]);
  tell.get('b')?.('of b');
  expect([...(await known.of(['a', 'b'], call())).keys()]).toEqual(['a', 'b']);
});

it('asks of eight at once', async () => {
  let running = 0;
  let most = 0;
  const ask = async (region: string) => {
    most = Math.max(most, (running += 1));
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return region;
  };
  expect((await survey({ ask }).of(names(20), call())).size).toBe(20);
  expect(most).toBe(8);
});

it('fails as the question does, and asks anew after that', async () => {
  let fails = true;
  const known = survey({ ask: async (region) => (fails ? Promise.reject(new Error('refused')) : region) });
  await expect(known.of(['a'], call())).rejects.toThrow('refused');
  fails = false;
  expect((await known.of(['a'], call())).size).toBe(1);
});

it('lets go of who does not wait any more', async () => {
  const controller = new AbortController();
  const waiting = survey({ ask: () => new Promise(() => undefined) }).of(['a'], call({ signal: controller.signal }));
  controller.abort(new Error('not needed'));
  await expect(waiting).rejects.toThrow('not needed');
});
