import { createTestNetwork, type TestHost, type TestNetwork, whyNoTestHosts } from '@dstack/test-hosts';
import { existsSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import OpenAI from 'openai';
import { wentPastProgram } from '../src/past-gateway-program.js';
import { gatewayFolder } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

const inFull = process.env['DSTACK_TEST_FULL'] === '1' ? it : it.skip;
const why =
  whyNoTestHosts() ??
  (existsSync('/usr/sbin/nginx') ? null : 'there is no nginx') ??
  (existsSync(gatewayFolder) ? null : 'the folder of the gateway is not built');
if (why !== null) console.warn(`The stories of services behind a gateway are left out: ${why}`);

interface Submission {
  readonly id: string;
  readonly status: string;
  readonly ready: boolean | null;
}
interface Run {
  readonly status: string;
  readonly service: { readonly url: string; readonly model: { readonly base_url: string } | null } | null;
  readonly jobs: readonly { readonly job_submissions: readonly Submission[] }[];
}
interface Gateway {
  readonly status: string;
  readonly hostname: string;
  readonly replicas: readonly { readonly status: string; readonly status_message: string | null }[];
}
interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Tells which version it is and what it was sent. The agent brings its own node to every host. */
const SERVER = `require('node:http').createServer((q, r) => {
  if (q.url === '/slow') return void setTimeout(() => r.end('late'), 1500);
  r.end(JSON.stringify({ version: process.env.VERSION, headers: q.headers }));
}).listen(process.env.DSTACK_SERVICE_PORT)`.replaceAll('\n', '');
/** A model that says what it is told, a word at a time. */
const MODEL = `require('node:http').createServer(async (q, r) => {
  let text = '';
  for await (const part of q) text += part;
  const { messages = [], stream } = JSON.parse(text || '{}');
  const said = messages.length === 0 ? '' : messages.at(-1).content;
  const answer = (choice) => ({ id: 'x', object: 'chat.completion', created: 1, model: 'echo', choices: [{ index: 0, ...choice }] });
  r.setHeader('content-type', stream ? 'text/event-stream' : 'application/json');
  if (!stream) return r.end(JSON.stringify(answer({ message: { role: 'assistant', content: said }, finish_reason: 'stop' })));
  const end = String.fromCharCode(10, 10);
  for (const word of said.split(' ')) {
    r.write('data: ' + JSON.stringify(answer({ delta: { content: word + ' ' } })) + end);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  r.end('data: [DONE]' + end);
}).listen(process.env.DSTACK_SERVICE_PORT)`.replaceAll('\n', ' ');
const RUN =
  'D=$(ls -d /usr/local/lib/dstack/agent/*/ | head -n 1); exec $D/lib/ld-linux-* --library-path $D/lib $D/node -e "$SERVER"';

(why === null ? describe : describe.skip)('services behind a gateway on a host of one’s own', () => {
  const stack = new Stack();
  let network: TestNetwork;
  let workers: TestHost[];
  let edge: TestHost;

  beforeAll(async () => {
    network = await createTestNetwork();
    [edge, ...workers] = await Promise.all([
      network.host({ name: 'edge', user: 'ops' }),
      network.host({ name: 'alpha' }),
      network.host({ name: 'beta' }),
    ]);
    await stack.start();
  }, 120_000);
  afterAll(async () => {
    await stack.close();
    await network.remove();
  });

  const hosts = (...all: TestHost[]) => {
    const lines = all.map(
      (host) => `    - {hostname: ${host.address}, user: ${host.user}, identity_file: ${host.identityFile}}\n`,
    );
    return `ssh_config:\n  hosts:\n${lines.join('')}`;
  };
  const apply = (name: string, text: string, ...flags: string[]) => {
    stack.file(name, text);
    return stack.cli(['apply', '-y', '-f', `${name}.dstack.yml`, ...flags]);
  };
  const web = (version: string, more: string) => `type: service
name: web
port: 18600
https: auto
env:
  - VERSION=${version}
  - ${JSON.stringify(`SERVER=${SERVER}`)}
commands: [${JSON.stringify(RUN)}]
fleets: [lab]
${SMALL}
${more}
`;
  const ask = (path: string, token: string | null = stack.token, timeoutMs = 60_000): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const headers = { host: 'web.example.com', ...(token === null ? {} : { authorization: `Bearer ${token}` }) };
      const sent = request(
        { host: edge.address, port: 80, path, headers, agent: false, timeout: timeoutMs },
        (reply) => {
          let body = '';
          reply.on('data', (chunk: Buffer) => (body += chunk.toString()));
          reply.once('error', reject);
          reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body }));
        },
      );
      sent.once('timeout', () => sent.destroy(new Error('no answer in time')));
      sent.once('error', reject);
      sent.end();
    });
  const get = () => stack.api<Run>('/api/project/main/runs/get', { run_name: 'web' });
  const live = (run: Run) =>
    run.jobs
      .flatMap((job) => job.job_submissions.at(-1) ?? [])
      .filter(({ status }) => !['terminated', 'failed', 'done'].includes(status));
  const ready = (count: number) =>
    stack.until(`${count} replicas to be ready`, async () => {
      const jobs = live(await get());
      return jobs.length === count && jobs.every((job) => job.ready === true) && jobs;
    }, 90_000); // prettier-ignore
  const says = (version: string) =>
    stack.until(`version ${version} behind the gateway`, async () => {
      const answer = await ask('/').catch(() => null);
      return answer?.status === 200 && answer.body.includes(`"version":"${version}"`) && answer;
    }, 90_000); // prettier-ignore
  const pastProgram = () =>
    stack.until('requests to go past the gateway’s program', async () => {
      await ask('/');
      return wentPastProgram(edge, 'web.example.com');
    }, 60_000); // prettier-ignore
  const gateway = () => stack.api<Gateway>('/api/project/main/gateways/get', { name: 'edge' });

  it('are reached by their name, with a token that no replica sees', async () => {
    const [made] = await Promise.all([
      apply('edge', `type: gateway\nname: edge\nbackend: ssh\ndomain: example.com\ncertificate: null\n${hosts(edge)}`),
      apply('lab', `type: fleet\nname: lab\nblocks: 2\n${hosts(...workers)}`),
    ]);
    expect(made.stdout + made.stderr).toContain(`*.example.com  A  ${edge.address}`);
    expect((await stack.cli(['gateway'])).stdout).toMatch(/edge .*example\.com +✓ +running/);
    await apply('web', web('one', 'replicas: 2'), '-d');
    const { body } = await says('one');
    expect(body).not.toContain(stack.token);
    expect(body).toContain('"x-forwarded-for"');
    await pastProgram();
    expect((await ask('/')).body).not.toContain(stack.token);
    expect((await ask('/', null)).status).toBeGreaterThanOrEqual(401);
    expect((await ask('/', 'stranger')).status).toBeGreaterThanOrEqual(401);
    expect((await stack.cli(['ps', '-v'])).stdout).toContain('url: http://web.example.com/');
    const refused = await stack.cli(['gateway', 'delete', '-y', 'edge']);
    expect([refused.code === 0, refused.stderr]).toEqual([false, expect.stringContaining('serves web')]);
  }, 180_000);

  inFull(
    'are updated under load without a failed request',
    async () => {
      await ready(2);
      await pastProgram();
      const answers = new Map<string, number>();
      let isOver = false;
      const load = Array.from({ length: 8 }, async () => {
        while (!isOver) {
          const answer = await ask('/').catch((error: unknown) => ({ status: 0, body: String(error) }));
          const said =
            answer.status === 200
              ? (/"version":"(\w+)"/.exec(answer.body)?.[1] ?? '')
              : `${answer.status} ${answer.body}`;
          answers.set(said, (answers.get(said) ?? 0) + 1);
        }
      });
      await apply('web', web('two', 'replicas: 2'), '-d');
      await stack.until('the new version', async () => {
      const jobs = live(await get());
      return answers.has('two') && jobs.length === 2 && jobs.every((job) => job.ready === true);
    }, 120_000); // prettier-ignore
      isOver = true;
      await Promise.all(load);
      expect([...answers.keys()].sort()).toEqual(['one', 'two']);
    },
    240_000,
  );

  inFull(
    'go on while the server is away, and through a restart of the gateway’s host',
    async () => {
      await stack.killServer();
      expect(await ask('/')).toMatchObject({ status: 200 });
      await stack.start();
      await edge.cut();
      await stack.until('its loss to be seen', async () => (await gateway()).replicas[0]?.status_message !== null, 120_000); // prettier-ignore
      await edge.mend();
      await edge.reboot();
      await says('two');
      await stack.until('the gateway to be seen again', async () => {
      const [replica] = (await gateway()).replicas;
      return replica?.status === 'running' && replica.status_message === null;
    }, 60_000); // prettier-ignore
    },
    240_000,
  );

  inFull(
    'are started by their first request, which waits',
    async () => {
      await stack.cli(['stop', '-y', 'web']);
      await stack.until('its end', async () => (await get()).status === 'terminated', 60_000);
      const scaling = 'replicas: 0..1\nscaling: {metric: rps, target: 10, scale_down_delay: 1s, window: 30s}';
      await apply('web', web('three', scaling), '-d');
      const held = await stack.until('the service to be known', async () => {
      const answer = await ask('/').catch(() => null);
      return answer !== null && answer.status === 200 && answer;
    }, 120_000); // prettier-ignore
      expect(held.body).toContain('three');
      await stack.until('nobody to be there any more', async () => live(await get()).length === 0, 120_000);
    },
    300_000,
  );

  inFull(
    'stream the words of a model to the OpenAI client, as the server does',
    async () => {
      const llm = (name: string, port: number, more: string) => `type: service
name: ${name}
port: ${port}
https: auto
model: echo
env: [${JSON.stringify(`SERVER=${MODEL}`)}]
commands: [${JSON.stringify(RUN)}]
fleets: [lab]
${SMALL}
${more}
`;
      await Promise.all([
        apply('llm', llm('llm', 18700, 'gateway: edge'), '-d'),
        apply('llm-here', llm('llm-here', 18800, 'gateway: false'), '-d'),
      ]);
      // In the place of DNS.
      const name = createServer((asked, answer) => {
        const { method, url: path, headers } = asked;
        const to = { host: edge.address, method, path, headers: { ...headers, host: 'llm.example.com' } };
        const passed = request(to, (reply) => {
          answer.writeHead(reply.statusCode ?? 500, reply.headers);
          reply.pipe(answer);
        });
        passed.once('error', () => answer.destroy());
        asked.pipe(passed);
      });
      await new Promise<void>((resolve) => name.listen(0, '127.0.0.1', resolve));
      name.unref();
      const { port } = name.address() as AddressInfo; // it listens on TCP
      const ways: [string, string][] = [
        ['gateway', `http://127.0.0.1:${port}/v1`],
        ['server', `${stack.url}/proxy/services/main/llm-here/v1`],
      ];
      for (const [way, baseURL] of ways) {
        const client = new OpenAI({ apiKey: stack.token, baseURL, maxRetries: 0 });
        const messages = [{ role: 'user' as const, content: 'one two three four' }];
        await stack.until(`the model through the ${way}`, async () => {
          const reply = await client.chat.completions.create({ model: 'echo', messages }).catch(() => null);
          return reply?.choices[0]?.message.content === messages[0]?.content;
        }, 120_000); // prettier-ignore
        const arrivals: number[] = [];
        let text = '';
        for await (const chunk of await client.chat.completions.create({ model: 'echo', messages, stream: true })) {
          text += chunk.choices[0]?.delta.content ?? '';
          arrivals.push(performance.now());
        }
        expect([way, text.trim()]).toEqual([way, 'one two three four']);
        // As they are said, not all at the end.
        expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(300);
      }
      name.closeAllConnections();
      name.close();
      await stack.cli(['stop', '-y', 'llm', 'llm-here']);
      await stack.until('their end', async () => (await stack.statusOf('llm ')).includes('stopped'), 60_000);
    },
    240_000,
  );

  inFull(
    'end, and leave nothing behind',
    async () => {
      await stack.cli(['stop', '-y', 'web']);
      await stack.until('its end', async () => (await get()).status === 'terminated', 60_000);
      await stack.until('the service to be unknown', async () => (await ask('/')).status === 404 || (await ask('/')).status >= 420, 30_000); // prettier-ignore
      expect((await stack.cli(['gateway', 'delete', '-y', 'edge'])).code).toBe(0);
      await stack.until('the gateway to be gone', async () => !(await stack.cli(['gateway'])).stdout.includes('edge'), 60_000); // prettier-ignore
      expect(await edge.pids('nginx')).toEqual([]);
      expect(await edge.run('ls /var/lib/dstack-gateway /usr/local/lib/dstack 2>/dev/null || :')).toBe('');
    },
    120_000,
  );
});
