import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import WebSocket from 'ws';
import { freePort } from '../src/free-port.js';
import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { startPostgres } from '../src/postgres.js';
import { canRunContainers, node, TEST_IMAGE } from '../src/programs.js';
import { SMALL, Stack } from '../src/stack.js';

interface Submission {
  readonly id: string;
  readonly status: string;
  readonly ready: boolean | null;
}
interface Run {
  readonly status: string;
  readonly jobs: readonly { readonly job_submissions: readonly Submission[] }[];
}
interface Told {
  readonly version: string;
  readonly replica: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Plain requests, uploads, events one after the other, and a WebSocket that says back what it hears. Lets what is under way end when it is told to. */
const SERVER = `
const { createHash } = require('node:crypto');
const { createServer } = require('node:http');
const { hostname } = require('node:os');
const server = createServer(async (request, response) => {
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let number = 0; number < 3; number += 1) {
      response.write('data: ' + number + '\\n\\n');
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    return response.end();
  }
  const hash = createHash('sha256');
  for await (const chunk of request) hash.update(chunk);
  if (request.method === 'POST') return response.end(hash.digest('hex'));
  setTimeout(() => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ version: process.env.VERSION, replica: hostname(), headers: request.headers }));
  }, 20);
});
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  socket.on('data', (frame) => {
    if ((frame[0] & 15) !== 1) return socket.end();
    const mask = frame.subarray(2, 6);
    const text = Buffer.from(frame.subarray(6, 6 + (frame[1] & 127)).map((byte, index) => byte ^ mask[index % 4]));
    socket.write(Buffer.concat([Buffer.from([129, text.length]), text]));
  });
  socket.on('error', () => undefined);
});
server.listen(8000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;

/** Three where the machine has a processor for each. */
const MOST = Math.min(3, availableParallelism());

const postgres = isFullRun && canRunContainers() ? await startPostgres(await freePort()) : undefined;
afterAll(() => postgres?.stop());

const why = isFullRun ? (canRunContainers() ? null : 'there is no container engine') : OF_FULL_RUN;
const databases: [string, NodeJS.ProcessEnv][] = [
  ['SQLite', {}],
  ...(postgres === undefined
    ? []
    : [['Postgres', { DSTACK_DATABASE_URL: postgres.url }] as [string, NodeJS.ProcessEnv]]),
];

(why === null ? describe : describe.skip).each(databases)('replicas in containers, %s', (_database, serverEnv) => {
  const stack = new Stack(serverEnv);
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  const apply = (version: string, replicas = MOST) => {
    const source = join(stack.work, 'source');
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, 'server.cjs'), SERVER);
    stack.file(
      'web',
      `type: service
name: web
image: ${TEST_IMAGE}
port: 8000
gateway: false
replicas: ${replicas}
retry: true
env: [VERSION=${version}]
volumes: ['${source}:/source', '${dirname(node)}:/node']
commands: [exec /node/node /source/server.cjs]
${SMALL}
`,
    );
    return stack.cli(['apply', '-y', '-d', '-f', 'web.dstack.yml']);
  };
  const latest = async () => {
    const { jobs } = await stack.api<Run>('/api/project/main/runs/get', { run_name: 'web' });
    return jobs.map((job) => job.job_submissions.at(-1)).filter((job) => job !== undefined);
  };
  const ready = (count = MOST, without: readonly string[] = []) =>
    stack.until(`${count} replicas to be ready`, async () => {
      const live = (await latest()).filter(({ status }) => !['terminated', 'failed', 'done'].includes(status));
      return live.length === count && live.every((job) => job.ready === true && !without.includes(job.id));
    }, 120_000); // prettier-ignore
  const address = () => `${stack.url}/proxy/services/main/web`;
  const authorization = () => `Bearer ${stack.token}`;
  const ask = (path = '/', init: RequestInit = {}) =>
    fetch(`${address()}${path}`, { ...init, headers: { authorization: authorization() } });
  const tell = async (): Promise<Told> => {
    const reply = await ask();
    if (reply.status !== 200) throw new Error(`status ${reply.status}: ${await reply.text()}`);
    return (await reply.json()) as Told;
  };

  /** Eight callers at a time, until told to stop. */
  const underLoad = async (work: () => Promise<void>) => {
    let isOver = false;
    const answers: Told[] = [];
    const failures: string[] = [];
    const caller = async (): Promise<void> => {
      while (!isOver)
        await tell().then(
          (answer) => answers.push(answer),
          (error: unknown) => failures.push(String(error)),
        );
    };
    const callers = Array.from({ length: 8 }, caller);
    try {
      await work();
    } finally {
      isOver = true;
      await Promise.all(callers);
    }
    return { answers, failures };
  };

  it('answer requests, uploads, streams and WebSockets', async () => {
    const applied = await apply('one');
    expect(applied.code).toBe(0);
    await ready();
    const told = await Promise.all(Array.from({ length: 12 }, tell));
    expect(new Set(told.map(({ replica }) => replica)).size).toBe(MOST);
    for (const { headers } of told) expect(JSON.stringify(headers)).not.toContain(stack.token);

    const upload = Buffer.alloc(32 * 1024 * 1024, 'dstack');
    const digest = execFileSync('sha256sum', { input: upload, encoding: 'utf8' }).split(' ')[0];
    expect(await (await ask('/', { method: 'POST', body: upload })).text()).toBe(digest);

    const events = await ask('/events');
    const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: 0\n\n');
    let rest = '';
    for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) rest += part.value;
    expect(rest).toBe('data: 1\n\ndata: 2\n\n');

    const socket = new WebSocket(`${address().replace('http', 'ws')}/socket`, {
      headers: { authorization: authorization() },
    });
    const said = await new Promise<string>((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send('hello'));
      socket.once('message', (data: Buffer) => resolve(data.toString()));
    });
    socket.close();
    expect(said).toBe('hello');
  }, 180_000);

  it('lose one of them under load, and no request', async () => {
    const before = (await latest()).map(({ id }) => id);
    const { answers, failures } = await underLoad(async () => {
      execFileSync('docker', ['kill', stack.containers()[0] ?? ''], { stdio: 'ignore' });
      await stack.until('the other replica', async () => (await latest()).some(({ id }) => !before.includes(id)), 90_000); // prettier-ignore
      await ready();
    });
    expect(answers.length).toBeGreaterThan(50);
    expect(failures).toEqual([]);
  }, 180_000);

  it('are replaced one after the other under load, without a failed request', async () => {
    // An update takes room for one more.
    await apply('one', MOST - 1);
    await ready(MOST - 1);
    const before = (await latest()).map(({ id }) => id);
    const { answers, failures } = await underLoad(async () => {
      await apply('two', MOST - 1);
      await ready(MOST - 1, before);
      await stack.until('only the new version to answer', async () => {
        const told = await Promise.all(Array.from({ length: 12 }, tell));
        return told.every(({ version }) => version === 'two');
      });
    });
    expect(new Set(answers.map(({ version }) => version))).toEqual(new Set(['one', 'two']));
    expect(failures).toEqual([]);
  }, 240_000);
});
