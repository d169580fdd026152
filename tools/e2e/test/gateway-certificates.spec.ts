import {
  type Authority,
  createTestNetwork,
  hasAuthority,
  startAuthority,
  type TestHost,
  type TestNetwork,
  whyNoTestHosts,
} from '@dstack/test-hosts';
import { existsSync } from 'node:fs';
import { request } from 'node:https';
import { request as requestPlainly } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { gatewayFolder } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const why =
  (isFullRun ? null : OF_FULL_RUN) ??
  whyNoTestHosts() ??
  (hasAuthority ? null : 'pebble and pebble-challtestsrv are not in the path') ??
  (existsSync('/usr/sbin/nginx') ? null : 'there is no nginx') ??
  (existsSync(gatewayFolder) ? null : 'the folder of the gateway is not built');
if (why !== null) console.warn(`The story of certificates is left out: ${why}`);

/** The agent brings its own node to every host. */
const SERVER = `require('node:http').createServer((q, r) => r.end(JSON.stringify(q.headers))).listen(process.env.DSTACK_SERVICE_PORT)`;
const RUN =
  'D=$(ls -d /usr/local/lib/dstack/agent/*/ | head -n 1); exec $D/lib/ld-linux-* --library-path $D/lib $D/node -e "$SERVER"';
const EAB = { keyId: 'kid-1', hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W' };

interface Gateway {
  readonly replicas: readonly { readonly status: string; readonly hostname: string }[];
}
interface SecureAnswer {
  readonly status: number;
  readonly body: string;
  /** Of the certificate. */
  readonly fingerprint: string;
}

(why === null ? describe : describe.skip)('certificates of a gateway with two hosts', () => {
  let stack: Stack;
  let network: TestNetwork;
  let authority: Authority;
  let edges: TestHost[];
  let worker: TestHost;

  beforeAll(async () => {
    network = await createTestNetwork();
    [worker, ...edges] = await Promise.all([
      network.host({ name: 'alpha' }),
      network.host({ name: 'east' }),
      network.host({ name: 'west' }),
    ]);
    authority = await startAuthority({ address: network.gateway, httpPort: 80, eab: EAB });
    stack = new Stack({
      DSTACK_ACME_SERVER: authority.directoryUrl,
      DSTACK_ACME_CA_FILE: authority.caFile,
      DSTACK_ACME_EAB_KID: EAB.keyId,
      DSTACK_ACME_EAB_HMAC_KEY: EAB.hmacKey,
    });
    await stack.start();
  }, 120_000);
  afterAll(async () => {
    await stack.close();
    await authority.stop();
    await network.remove();
  });

  const hosts = (...all: TestHost[]) => {
    const lines = all.map(
      (host) => `    - {hostname: ${host.address}, user: ${host.user}, identity_file: ${host.identityFile}}\n`,
    );
    return `ssh_config:\n  hosts:\n${lines.join('')}`;
  };
  const apply = async (name: string, text: string, ...flags: string[]) => {
    stack.file(name, text);
    const done = await stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`, ...flags]);
    expect([name, done.code, done.code === 0 ? '' : done.stdout + done.stderr]).toEqual([name, 0, '']);
    return done;
  };
  const service = (name: string, port: number) => `type: service
name: ${name}
port: ${port}
env: [${JSON.stringify(`SERVER=${SERVER}`)}]
commands: [${JSON.stringify(RUN)}]
fleets: [lab]
${SMALL}
`;
  /** @throws where the certificate is not one of the authority's for that name */
  const askSecurely = (edge: TestHost, name: string, ca: string): Promise<SecureAnswer> =>
    new Promise((resolve, reject) => {
      const headers = { host: name, authorization: `Bearer ${stack.token}` };
      const to = { host: edge.address, port: 443, servername: name, ca, headers, agent: false, timeout: 20_000 };
      const sent = request(to, (reply) => {
        const fingerprint = (reply.socket as TLSSocket).getPeerCertificate().fingerprint256; // `https` speaks over TLS
        let body = '';
        reply.on('data', (chunk: Buffer) => (body += chunk.toString()));
        reply.once('error', reject);
        reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body, fingerprint }));
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('error', reject);
      sent.end();
    });
  const untilServed = (edge: TestHost, name: string) =>
    stack.until(
      `${name} over https at ${edge.name}`,
      async () => {
        const answer = await askSecurely(edge, name, authority.root()).catch(() => null);
        return answer?.status === 200 && answer;
      },
      120_000,
    );

  it('come from the authority by themselves, whichever host it asks, and both hosts have them', async () => {
    const [east, west] = edges as [TestHost, TestHost];
    // In the place of DNS: what the hosts of the gateway find, and what the authority finds.
    const names = edges.map(({ address }) => `${address} web.example.com api.example.com`).join('\n');
    await Promise.all(edges.map((edge) => edge.run('cat >> /etc/hosts', `${names}\n`)));
    await Promise.all([
      apply('edge', `type: gateway\nname: edge\nbackend: ssh\ndomain: example.com\n${hosts(...edges)}`),
      apply('lab', `type: fleet\nname: lab\nblocks: 2\n${hosts(worker)}`),
    ]);
    const gateway = await stack.api<Gateway>('/api/project/main/gateways/get', { name: 'edge' });
    expect(gateway.replicas.map(({ status }) => status)).toEqual(['running', 'running']);

    // One of the two hosts asks for all certificates, so one of these is proven by the other host.
    for (const [index, [name, edge]] of (
      [
        ['web', east],
        ['api', west],
      ] as const
    ).entries()) {
      authority.leadNamesTo(edge.address);
      const applied = await apply(name, service(name, 18600 + index), '-d');
      expect(applied.stdout + applied.stderr).toContain(`https://${name}.example.com/`);
      const answers = await Promise.all(edges.map((each) => untilServed(each, `${name}.example.com`)));
      expect(new Set(answers.map(({ fingerprint }) => fingerprint)).size).toBe(1);
      for (const { body } of answers) {
        expect(body).toContain('"x-forwarded-proto":"https"');
        expect(body).not.toContain(stack.token);
      }
    }
    await expect(askSecurely(east, 'other.example.com', authority.root())).rejects.toThrow();
    expect(await redirectOf(west, 'web.example.com')).toEqual([301, 'https://web.example.com/']);
    expect(stack.serverLog()).not.toMatch(/PRIVATE KEY|zWNDZM6/);
  }, 300_000);

  it('hold through a restart of the server and of a host', async () => {
    const [east] = edges as [TestHost, TestHost];
    const root = authority.root();
    const before = await askSecurely(east, 'web.example.com', root);
    await stack.killServer();
    await east.reboot();
    await stack.start();
    const after = await stack.until(
      'the host to serve again',
      () => askSecurely(east, 'web.example.com', root).catch(() => false as const),
      90_000,
    );
    expect(after).toMatchObject({ status: 200, fingerprint: before.fingerprint });
  }, 180_000);
});

function redirectOf({ address }: TestHost, host: string): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const sent = requestPlainly({ host: address, port: 80, headers: { host }, agent: false }, (reply) => {
      reply.resume();
      reply.once('end', () => resolve([reply.statusCode ?? 0, reply.headers.location ?? '']));
    });
    sent.once('error', reject);
    sent.end();
  });
}
