import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isFullRun } from '../src/full-run.js';
import { canRunContainers, node, repositoryRoot } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

interface Submission {
  readonly id: string;
  readonly status: string;
  readonly ready: boolean | null;
}
interface Run {
  readonly status: string;
  readonly deployment_num: number;
  readonly jobs: readonly { readonly job_submissions: readonly Submission[] }[];
}

const SERVER = `require('node:http').createServer((q, r) => {
  r.end(process.env.VERSION);
  if (q.url === '/exit') setTimeout(() => process.exit(1), 50);
}).listen(process.env.DSTACK_SERVICE_PORT)`.replaceAll('\n', '');

const ways: [string, string, boolean][] = [
  ['processes', `commands: ['exec ${node} -e "$SERVER"']`, isFullRun],
  [
    'containers',
    `image: dstack-test/busybox
commands:
  - busybox mkdir -p /www
  - printf "$VERSION" > /www/index.html
  - exec busybox httpd -f -p $DSTACK_SERVICE_PORT -h /www`,
    canRunContainers(),
  ],
];

describe.each(ways)('a service of %s', (_way, commands, isPossible) => {
  const when = isPossible ? it : it.skip;
  const stack = new Stack();
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  const write = (version: string, replicas: number) =>
    stack.file(
      'web',
      `type: service
name: web
port: 18500
gateway: false
replicas: ${replicas}
retry: true
env:
  - VERSION=${version}
  - ${JSON.stringify(`SERVER=${SERVER}`)}
${commands}
${SMALL}
`,
    );
  const get = () => stack.api<Run>('/api/project/main/runs/get', { run_name: 'web' });
  const latest = (run: Run) => run.jobs.map((job) => job.job_submissions.at(-1)).filter((job) => job !== undefined);
  const ready = (count: number) =>
    stack.until(`${count} replicas to be ready`, async () => {
      const run = await get();
      const live = latest(run).filter(({ status }) => !['terminated', 'failed', 'done'].includes(status));
      return live.length === count && live.every((job) => job.ready === true) && run;
    }, 90_000); // prettier-ignore
  /** As if its program had crashed. */
  const killOne = async (url: string) => {
    const [container] = stack.containers();
    if (container === undefined) await ask(`${url}exit`);
    else execFileSync('docker', ['kill', container], { stdio: 'ignore' });
  };
  const ask = async (url: string) => {
    const reply = await fetch(url, { headers: { authorization: `Bearer ${stack.token}` } });
    return reply.ok ? reply.text() : `status ${reply.status}`;
  };

  when('is published, keeps its replicas, and is updated without a failed request', async () => {
    write('one', 2);
    const apply = stack.startCli(['apply', '-y', '-f', 'web.dstack.yml']);
    await stack.until('the first request to be told', async () => apply.output().includes('is ready'), 90_000);
    const [url = ''] = /http:\/\/\S+\/proxy\/services\/main\/web\//.exec(apply.output()) ?? [];
    expect(apply.output()).toContain('dstack project token --project main');
    expect(await ask(url)).toBe('one');

    const before = latest(await ready(2)).map(({ id }) => id);
    expect((await stack.cli(['ps', '-v'])).stdout).toContain(`url: ${url}`);
    await killOne(url);
    await stack.until('the other replica', async () => {
      const now = latest(await get());
      return now.every((job) => job.status === 'running' && job.ready === true) && now.some(({ id }) => !before.includes(id)); // prettier-ignore
    }, 90_000); // prettier-ignore
    expect(await ask(url)).toBe('one');

    write('one', 1);
    expect((await stack.cli(['apply', '-y', '-d', '-f', 'web.dstack.yml'])).stdout).toContain('updated');
    await ready(1);
    write('two', 1);
    await stack.cli(['apply', '-y', '-d', '-f', 'web.dstack.yml']);
    const answers = new Set<string>();
    await stack.until('the new version', async () => {
      answers.add(await ask(url));
      return answers.has('two');
    }, 90_000); // prettier-ignore
    await ready(1);
    expect(answers).toEqual(new Set(['one', 'two']));
    await stack.cli(['stop', '-y', 'web']);
    await stack.until('its end', async () => (await get()).status === 'terminated', 60_000);
    expect(await ask(url)).toBe('status 404');
  });
});

const guide = readFileSync(join(repositoryRoot, 'docs/services.md'), 'utf8');

describe('docs/services.md', () => {
  const stack = new Stack();
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  const [, text = ''] = /`web\.dstack\.yml`:\n\n```yaml\n([^]*?)```/.exec(guide) ?? [];
  const apply = (yaml: string) => {
    stack.file('web', yaml);
    return stack.cli(['apply', '-y', '-d', '-f', 'web.dstack.yml']);
  };
  const ask = async () => {
    const reply = await fetch(`${stack.url}/proxy/services/main/web/`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    return reply.text();
  };
  const says = (answer: string) => stack.until(answer, async () => (await ask()) === `${answer}\n`, 90_000);

  (hasPython() ? it : it.skip)('does what it says', async () => {
    await apply(text);
    await says('one');
    await apply(text.replace('WORD=one', 'WORD=two'));
    await says('two');
    const failing = text.replace('WORD=one', 'WORD=two').replace(/commands:[^]*(?=resources)/, 'commands: [exit 3]\n');
    await apply(failing);
    const undone = async () => (await stack.statusOf('web')).includes('running (update rolled back)');
    await stack.until('the update to be taken back', undone, 90_000);
    expect(await ask()).toBe('two\n');
    expect((await stack.cli(['ps', '-v'])).stdout).toContain('was taken back: its replicas failed 3 times');
    expect((await stack.cli(['stop', '-y', 'web'])).code).toBe(0);
  });
});

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
