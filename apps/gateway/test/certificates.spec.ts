import { type Authority, hasAuthority, startAuthority } from '@dstack/test-hosts';
import { request } from 'node:https';
import { ask } from './support/ask.js';
import { type Replica, startReplica } from './support/replica.js';
import { type Sshd, startSshd } from './support/sshd.js';
import { canServe, makeGateway, serviceOf, signal, stateOf, type TestGateway, TOKEN } from './support/test-gateway.js';
import { until } from './support/until.js';

const EAB = { keyId: 'kid-1', hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };
const world = { isOpen: false } as { isOpen: boolean; host: Sshd; replica: Replica; authority: Authority };
const gateways: TestGateway[] = [];

async function open(): Promise<void> {
  const asking = await makeGateway();
  const authority = await startAuthority({ httpPort: asking.httpPort, eab: EAB });
  const [host, replica, other] = await Promise.all([startSshd(), startReplica('one'), makeGateway()]);
  // The name is looked up where the authority does.
  const first = { ...asking, start: () => asking.start('--dns', authority.dns) };
  await Promise.all([first.start(), other.start()]);
  gateways.push(first, other);
  Object.assign(world, { isOpen: true, host, replica, authority });
}

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.remove()));
  if (!world.isOpen) return;
  await Promise.all([world.host.remove(), world.replica.kill(), world.authority.stop()]);
});

/** With a real authority it takes half a minute; what is decided without one is tested beside it. */
const whyNot = [
  canServe ? null : 'nginx and sshd are not installed',
  hasAuthority ? null : 'pebble and pebble-challtestsrv are not in the path',
  process.env['DSTACK_TEST_FULL'] === '1' ? null : 'DSTACK_TEST_FULL is not set',
].find((reason) => reason !== null);
const story = whyNot === undefined ? it : it.skip;
const skipped = whyNot === undefined ? '' : ` (skipped: ${whyNot})`;

story(`names get certificates from a real authority, and all replicas of the gateway have them${skipped}`, async () => {
  await open();
  const { host, replica, authority } = world;
  const [first, other] = gateways as [TestGateway, TestGateway];
  const services = [serviceOf(host, [replica], { https: 'certificate' })];
  const { directoryUrl, caCertificate } = authority;
  const acme = { directoryUrl, caCertificate, email: 'ops@example.com', eab: EAB, issues: true, shared: true };
  await other.client.putState(stateOf(host, services, { acme: { ...acme, issues: false } }), signal);
  const before = await first.client.putState(stateOf(host, services, { acme }), signal);
  expect(before.services[0]).toMatchObject({ isServed: false, certificate: { expiresAt: null } });
  // In plain there is nothing but the way to https, and the answer for the authority.
  const moved = await ask(first.httpPort, { path: '/a?b=c' });
  expect([moved.status, moved.headers.location]).toEqual([301, `https://web.test:${first.httpsPort}/a?b=c`]);

  const [challenge] = await until('there is a challenge', async () => {
    const { challenges } = await first.client.status({ after: 0, waitMs: 0 }, signal);
    return challenges.length > 0 && challenges;
  });
  if (challenge === undefined) throw new Error('no challenge');
  await other.client.putChallenges([challenge], signal);
  const answer = await ask(other.httpPort, { path: `/.well-known/acme-challenge/${challenge.token}` });
  expect(answer.body).toBe(challenge.keyAuthorization);
  await first.client.putChallenges([challenge], signal);

  const served = await until('it is served', async () => {
    const { services: all } = await first.client.status({ after: 0, waitMs: 0 }, signal);
    return all[0]?.isServed === true && all[0];
  });
  expect(served.problem).toBeNull();
  expect(served.certificate?.expiresAt).toBeGreaterThan(Date.now());
  const certificates = await first.client.certificates(signal);
  await other.client.putCertificates(certificates, signal);
  const root = authority.root();
  for (const gateway of [first, other])
    expect(await askSecurely(gateway.httpsPort, 'web.test', root)).toEqual({ status: 200, body: 'one' });
  expect(replica.seen.at(-1)?.headers).toMatchObject({ 'x-forwarded-proto': 'https' });
  expect(replica.seen.at(-1)?.headers).not.toHaveProperty('authorization');
  await expect(askSecurely(first.httpsPort, 'other.test', root)).rejects.toThrow();

  // One that is not the host's, or whose key is another, is not taken.
  const [certificate] = certificates;
  if (certificate === undefined) throw new Error('no certificate');
  await expect(other.client.putCertificates([{ ...certificate, host: 'b.test' }], signal)).rejects.toThrow('not for b.test'); // prettier-ignore
  for (const gateway of gateways) expect(gateway.log()).not.toMatch(/PRIVATE KEY|zWNDZM6/);

  // A restart has them still, without anybody to ask.
  await first.start();
  expect(await askSecurely(first.httpsPort, 'web.test', root)).toEqual({ status: 200, body: 'one' });
});

function askSecurely(port: number, host: string, ca: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host, authorization: `Bearer ${TOKEN}` };
    const asked = request({ host: '127.0.0.1', port, servername: host, ca, headers, agent: false }, (reply) => {
      let body = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body }));
    });
    asked.once('error', reject);
    asked.end();
  });
}
