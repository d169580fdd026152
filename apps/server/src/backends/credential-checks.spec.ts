import { BackendError } from '@dstack/backend-base';
import { CredentialChecks } from './credential-checks.js';

function checksOf(...answers: (() => Promise<{ path: string[]; message: string }[]>)[]) {
  const at = { now: 0, asked: 0 };
  const validate = () => answers[Math.min(at.asked++, answers.length - 1)]?.() ?? Promise.resolve([]);
  return { at, checks: new CredentialChecks(validate, () => at.now) };
}
const yes = () => Promise.resolve([]);
const refused = () => Promise.resolve([{ path: ['creds', 'access_key'], message: 'AWS does not know the key' }]);
const outage = () => Promise.reject(new BackendError({ kind: 'outage', blocks: 'account' }, 'EC2 did not answer'));

it('a yes is asked for once', async () => {
  const { at, checks } = checksOf(yes);
  expect(await Promise.all([checks.current(), checks.current()])).toEqual([
    { state: 'verified' },
    { state: 'verified' },
  ]);
  at.now = 1e9;
  await checks.current();
  expect(at.asked).toBe(1);
});

it('a refusal names the field and is asked again after a minute', async () => {
  const { at, checks } = checksOf(refused, yes);
  const told = { state: 'refused', reason: 'creds.access_key: AWS does not know the key' };
  expect(await checks.current()).toEqual(told);
  at.now = 59_000;
  expect(await checks.current()).toEqual(told);
  at.now = 61_000;
  expect(await checks.current()).toEqual({ state: 'verified' });
  expect(at.asked).toBe(2);
});

it('who cannot be asked is not refused', async () => {
  const { checks } = checksOf(outage);
  expect(await checks.current()).toEqual({ state: 'unverified', reason: 'EC2 did not answer' });
});

it('who does not answer in time is not refused', async () => {
  const { checks } = checksOf(() => Promise.reject(new DOMException('aborted', 'TimeoutError')));
  expect(await checks.current()).toEqual({ state: 'unverified', reason: 'no answer within 8 seconds' });
});

it('a rejected key is a refusal however it is told', async () => {
  const { checks } = checksOf(() =>
    Promise.reject(new BackendError({ kind: 'credentials', blocks: 'account' }, 'AuthFailure')),
  );
  expect(await checks.current()).toEqual({ state: 'refused', reason: 'AuthFailure' });
});
