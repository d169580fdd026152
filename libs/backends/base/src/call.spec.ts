import { BackendError, isBackendError, statusText } from './backend-error.js';
import { callSignal, withinCall, type Call } from './call.js';

const call = (overrides: Partial<Call> = {}): Call => ({
  signal: new AbortController().signal,
  deadline: Date.now() + 10_000,
  ...overrides,
});
const forever = () => new Promise<never>(() => undefined);

it('gives the result', async () => {
  await expect(withinCall(call(), async () => 1)).resolves.toBe(1);
});

it('gives the failure of the work', async () => {
  await expect(withinCall(call(), () => Promise.reject(new Error('boom')))).rejects.toThrow('boom');
});

it('ends at the deadline, whatever the work does', async () => {
  const error: unknown = await withinCall(call({ deadline: Date.now() + 20 }), forever).catch(
    (reason: unknown) => reason,
  );
  expect(isBackendError(error) && error.failure).toEqual({ kind: 'outage', blocks: 'offer' });
});

it('ends when the caller gives up, with the reason of the caller', async () => {
  const controller = new AbortController();
  const work = withinCall(call({ signal: controller.signal }), forever);
  controller.abort(new Error('not needed'));
  await expect(work).rejects.toThrow('not needed');
});

it('tells the work that it is over', async () => {
  const controller = new AbortController();
  let told: AbortSignal | undefined;
  const work = withinCall(call({ signal: controller.signal }), (signal) => {
    told = signal;
    return forever();
  });
  controller.abort(new Error('not needed'));
  await expect(work).rejects.toThrow();
  expect(told?.aborted).toBe(true);
});

it('does not begin what is over', () => {
  expect(() => callSignal(call({ signal: AbortSignal.abort(new Error('gone')) }))).toThrow('gone');
  expect(() => callSignal(call({ deadline: 5 }), () => 5)).toThrow('before the deadline');
});

it('recognises errors of another copy of the package', () => {
  const foreign = Object.assign(new Error('x'), { [Symbol.for('@dstack/backend-base/BackendError')]: true });
  expect(isBackendError(foreign)).toBe(true);
  expect(isBackendError(new BackendError({ kind: 'quota', blocks: 'region' }, 'x'))).toBe(true);
  expect(isBackendError(new Error('x'))).toBe(false);
  expect(isBackendError(null)).toBe(false);
});

it('makes one short line of any error', () => {
  expect(statusText(new Error('a\n  b'))).toBe('a b');
  expect(statusText('x'.repeat(300))).toHaveLength(200);
});
