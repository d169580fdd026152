import { existsSync } from 'node:fs';
import { request } from 'node:http';
import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { gatewayFolder, node } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const why =
  whyNoTestHosts() ??
  (existsSync('/usr/sbin/nginx') ? null : 'there is no nginx') ??
  (existsSync(gatewayFolder) ? null : 'the folder of the gateway is not built');
if (why !== null) console.warn(`The stories of services on this machine behind a gateway are left out: ${why}`);

interface Run {
  readonly status: string;
  readonly jobs: readonly {
    readonly job_submissions: readonly { readonly status: string; readonly ready: boolean | null }[];
  }[];
}
interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Says its version and what it was sent; at `/words` a word at a time. */
const SERVER = `require('node:http').createServer(async (q, r) => {
  if (q.url !== '/words') return r.end(JSON.stringify({ version: process.env.VERSION, headers: q.headers }));
  r.setHeader('content-type', 'text/event-stream');
  for (const word of ['one', 'two', 'three']) {
    r.write(word + ' ');
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  r.end();
}).listen(process.env.DSTACK_SERVICE_PORT, '127.0.0.1')`.replaceAll('\n', ' ');

(why === null ? describe : describe.skip)('services on the server’s own machine behind a gateway elsewhere', () => {
  const stack = new Stack();
  let network: TestNetwork;
  let edge: TestHost;

  beforeAll(async () => {
    network = await createTestNetwork();
    edge = await network.host({ name: 'edge' });
    await stack.start();
  }, 120_000);
  afterAll(async () => {
    await stack.close();
    await network.remove();
  });

  const apply = (name: string, text: string, ...flags: string[]) =>
    stack.cli(['apply', '-y', '-f', stack.file(name, text), ...flags]);
  const web = (version: string) => `type: service
name: web
port: 18650
https: auto
env: [VERSION=${version}, ${JSON.stringify(`SERVER=${SERVER}`)}]
commands: [${JSON.stringify(`exec ${node} -e "$SERVER"`)}]
${SMALL}
`;
  const ask = (path = '/', heard?: (text: string) => void): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { host: 'web.example.com', authorization: `Bearer ${stack.token}` };
      const sent = request({ host: edge.address, port: 80, path, headers, agent: false, timeout: 30_000 }, (reply) => {
        let body = '';
        reply.setEncoding('utf8').on('data', (text: string) => {
          body += text;
          heard?.(text);
        });
        reply.once('error', reject);
        reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body }));
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('error', reject);
      sent.end();
    });
  const says = (version: string) =>
    stack.until(`version ${version} behind the gateway`, async () => {
      const answer = await ask().catch(() => null);
      return answer?.status === 200 && answer.body.includes(`"version":"${version}"`) && answer;
    }, 90_000); // prettier-ignore
  const live = async () =>
    (await stack.api<Run>('/api/project/main/runs/get', { run_name: 'web' })).jobs
      .flatMap((job) => job.job_submissions.at(-1) ?? [])
      .filter(({ status }) => !['terminated', 'failed', 'done'].includes(status));

  it('are planned and reached, over no connection that the gateway makes', async () => {
    const host = `ssh_config:\n  hosts:\n    - {hostname: ${edge.address}, user: ${edge.user}, identity_file: ${edge.identityFile}}\n`; // prettier-ignore
    await apply('edge', `type: gateway\nname: edge\nbackend: ssh\ndomain: example.com\ncertificate: null\n${host}`);
    const made = await apply('web', web('one'), '-d');
    expect(made).toMatchObject({ code: 0 });
    const { body } = await says('one');
    expect(body).not.toContain(stack.token);
    expect(await edge.run("ss -Htn state established '( dport = :22 )'")).toBe('');
  }, 180_000);

  it('say each word when it is said', async () => {
    const arrivals: number[] = [];
    const { body } = await ask('/words', () => arrivals.push(performance.now()));
    expect(body).toBe('one two three ');
    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(300);
  });

  it('are updated under load without a failed request', async () => {
    const answers = new Set<string>();
    let isOver = false;
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const answer = await ask().catch((error: unknown) => ({ status: 0, body: String(error) }));
        answers.add(answer.status === 200 ? (/"version":"(\w+)"/.exec(answer.body)?.[1] ?? '') : `${answer.status} ${answer.body}`); // prettier-ignore
      }
    });
    await apply('web', web('two'), '-d');
    await stack.until('the new version', async () => {
      const jobs = await live();
      return answers.has('two') && jobs.length === 1 && jobs.every(({ ready }) => ready === true);
    }, 120_000); // prettier-ignore
    isOver = true;
    await Promise.all(load);
    expect([...answers].sort()).toEqual(['one', 'two']);
  }, 240_000);

  it('are away with the server, and back with it', async () => {
    await stack.killServer();
    // It waits at the gateway.
    const held = ask();
    await stack.start();
    expect((await held.catch(() => null))?.status ?? 0).not.toBe(404);
    await says('two');
  }, 120_000);

  it('end, and leave nothing on the server’s machine that lets a gateway in', async () => {
    await stack.cli(['stop', '-y', 'web']);
    await stack.until('the service to be unknown', async () => (await ask()).status === 404, 60_000);
    expect(existsSync('/var/lib/dstack-door')).toBe(false);
    expect((await stack.cli(['gateway', 'delete', '-y', 'edge'])).code).toBe(0);
  }, 120_000);
});
