import { NameError } from './find-name.js';
import { CertificateKeeper } from './certificate-keeper.js';
import { ChallengeBook } from './challenge-book.js';
import type { CertificateStore, StoredCertificate } from './certificate-store.js';

const DAY = 86_400_000;

const acme = {
  directoryUrl: 'https://ca/dir',
  email: null,
  eab: null,
  caCertificate: null,
  issues: true,
  shared: false,
};

function keeper(options: { names?: ReadonlySet<string>; fails?: string } = {}) {
  const clock = { now: 0 };
  const timers: { at: number; then: () => void }[] = [];
  const stored = new Map<string, StoredCertificate>();
  const asked: string[] = [];
  const store: Pick<CertificateStore, 'find' | 'put'> = {
    find: (host) => stored.get(host) ?? null,
    put: async ({ host }) => {
      stored.set(host, { path: `/${host}`, notBefore: clock.now, expiresAt: clock.now + 90 * DAY });
      return true;
    },
  };
  const kept = new CertificateKeeper({
    store: store as CertificateStore,
    issue: async (host) => {
      asked.push(host);
      if (options.fails !== undefined) throw new Error(options.fails);
      return { host, chain: '', privateKey: '' };
    },
    findName: async (host) => {
      if (options.names?.has(host) === false) throw new NameError(`${host} leads nowhere`);
    },
    now: () => clock.now,
    after: (ms, then) => {
      const timer = { at: clock.now + ms, then };
      timers.push(timer);
      return { cancel: () => void timers.splice(timers.indexOf(timer) >>> 0, 1) };
    },
    changed: () => undefined,
    renewed: () => undefined,
  });
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const pass = async (ms: number): Promise<void> => {
    const until = clock.now + ms;
    await settle();
    for (;;) {
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers.splice(timers.indexOf(next), 1);
      clock.now = next.at;
      next.then();
      await settle();
    }
    clock.now = until;
  };
  return { kept, asked, pass };
}

it('gets one for each host, and the next ones in time', async () => {
  const { kept, asked, pass } = keeper();
  kept.update(['a.test', 'b.test', 'c.test'], acme);
  await pass(0);
  expect(asked.sort()).toEqual(['a.test', 'b.test', 'c.test']);
  await pass(59 * DAY);
  expect(asked).toHaveLength(3);
  await pass(2 * DAY);
  expect(asked).toHaveLength(6);
});

it('asks nobody for a name that leads nowhere, and says what to do', async () => {
  const { kept, asked, pass } = keeper({ names: new Set() });
  kept.update(['a.test'], acme);
  await pass(0);
  expect(asked).toEqual([]);
  expect(kept.status('a.test').problem).toEqual({ kind: 'dns', text: 'a.test leads nowhere' });
});

it('does not tire an authority that refuses', async () => {
  const { kept, asked, pass } = keeper({ fails: 'unauthorized' });
  kept.update(['a.test'], acme);
  await pass(3 * 3_600_000);
  expect(asked.length).toBeLessThan(9);
  expect(kept.status('a.test').problem?.text).toBe('no certificate for a.test: unauthorized');
});

it('replicas that do not ask say who does', async () => {
  const { kept, asked, pass } = keeper();
  kept.update(['a.test'], { ...acme, issues: false });
  await pass(DAY);
  expect(asked).toEqual([]);
  expect(kept.status('a.test').problem?.text).toContain('the replica that asks');
});

it('validation waits until all replicas have the answer', async () => {
  const never = { after: () => ({ cancel: () => undefined }), changed: () => undefined };
  const [first, other] = [new ChallengeBook(never), new ChallengeBook(never)];
  const seen: string[] = [];
  const offered = first
    .offer({ host: 'a.test', token: 't', keyAuthorization: 't.k' }, true)
    .then(() => seen.push('go'));
  other.put(first.open());
  await Promise.resolve();
  expect([seen, other.answer('t'), first.answer('t')]).toEqual([[], 't.k', 't.k']);
  first.put(first.open());
  await offered;
  expect(seen).toEqual(['go']);
  other.put([]);
  expect(other.answer('t')).toBeUndefined();
});
