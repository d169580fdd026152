import { isFullRun, OF_FULL_RUN } from '../src/full-run.js';
import { node } from '../src/programs.js';
import { Stack } from '../src/stack.js';

const why = isFullRun ? null : OF_FULL_RUN;
if (why !== null) console.warn(`The story of a router is left out: ${why}`);

/** A router and two workers, on two processors. */
const TINY = 'resources: {cpu: 0.., memory: 64MB.., disk: 1GB..}';

/** The control API as sglang-router has it: a worker that was posted is listed once it answered. */
const ROUTER = `const http = require('node:http'); const workers = new Map(); let next = 0;
const get = (url) => fetch(url).then((r) => r.ok);
http.createServer(async (q, r) => {
  let text = ''; for await (const part of q) text += part;
  const say = (status, value) => { r.writeHead(status, { 'content-type': 'application/json' }); r.end(JSON.stringify(value)); };
  const [, root, id] = q.url.split('/');
  if (root === 'workers' && q.method === 'GET') {
    const list = [...workers].map(([id, w]) => ({ id, url: w.url, model_id: 'm', priority: 50, cost: 1, worker_type: w.worker_type, is_healthy: true, load: 0, connection_mode: 'http' }));
    return say(200, { workers: list, total: list.length, stats: {} });
  }
  if (root === 'workers' && q.method === 'POST') {
    const w = JSON.parse(text); const made = 'w-' + (++next);
    get(w.url + '/health').then((ok) => ok && workers.set(made, w), () => 0);
    return say(202, { status: 'accepted', worker_id: made, url: w.url, location: '/workers/' + made });
  }
  if (root === 'workers' && q.method === 'DELETE') {
    if (!workers.delete(id)) return say(404, { error: 'no such worker', code: 'WORKER_NOT_FOUND' });
    return say(202, { status: 'accepted', worker_id: id });
  }
  const all = [...workers.values()];
  if (all.length === 0) return say(503, { error: 'no available workers' });
  const answer = await fetch(all[next++ % all.length].url + q.url, { method: q.method });
  r.writeHead(answer.status); r.end(await answer.text());
}).listen(process.env.DSTACK_SERVICE_PORT)`.replaceAll('\n', ' ');
const WORKER = `const http = require('node:http');
http.createServer((q, r) => {
  if (q.url === '/server_info') return r.end(JSON.stringify({ status: 'ready', disaggregation_mode: 'null', version: '0.5' }));
  r.end('worker ' + process.env.DSTACK_SERVICE_PORT);
}).listen(process.env.DSTACK_SERVICE_PORT)`.replaceAll('\n', ' ');

/** As a frontend of Dynamo as far as dstack has to do with it: workers come to it, nobody tells it of them. */
const FRONTEND = `const workers = [];
const serve = require('node:http').createServer((q, r) => {
  if (q.url === '/register') { workers.push(r); r.writeHead(200); return r.write(' '); }
  if (q.url === '/v1/quit') return r.end('bye', () => setTimeout(() => process.exit(3), 200));
  if (workers.length === 0) { r.writeHead(503); return r.end('no workers'); }
  r.end(workers.length + ' workers');
});
serve.listen(process.env.DSTACK_SERVICE_PORT); require('node:http').createServer(serve.listeners('request')[0]).listen(18990)`.replaceAll(
  '\n',
  ' ',
);
/** Listens nowhere. Without the address it fails, and is not tried again. */
const BACKEND = `const ip = process.env.DSTACK_ROUTER_INTERNAL_IP; if (!ip) process.exit(4);
const join = () => require('node:http').get({ host: ip, port: 18990, path: '/register' }, (r) => r.resume()).on('error', () => setTimeout(join, 200));
join(); setInterval(() => 0, 1000)`.replaceAll('\n', ' ');

interface Run {
  readonly jobs: readonly { readonly job_submissions: readonly { readonly ready: boolean | null }[] }[];
}

(why === null ? describe : describe.skip)('a service with a router', () => {
  const stack = new Stack();
  beforeAll(() => stack.start());
  afterAll(() => stack.close());

  const apply = (workers: string) => {
    const file = stack.file(
      'llm',
      `type: service
name: llm
port: 18900
gateway: false
env:
  - ${JSON.stringify(`ROUTER=${ROUTER}`)}
  - ${JSON.stringify(`WORKER=${WORKER}`)}
groups:
  - name: router
    replicas: 1
    router: {type: sglang}
    commands: ['exec ${node} -e "$ROUTER"']
    ${TINY}
  - name: workers
    ${workers}
    commands: ['exec ${node} -e "$WORKER"']
    ${TINY}
`,
    );
    return stack.cli(['apply', '-y', '-d', '-f', file]);
  };
  const ask = async (path: string, run = 'llm') => {
    const reply = await fetch(`${stack.url}/proxy/services/main/${run}${path}`, {
      headers: { authorization: `Bearer ${stack.token}` },
    });
    return { status: reply.status, text: await reply.text() };
  };
  it('gives its requests to the workers that there are, and brings them up by what it is asked for', async () => {
    const scaling = 'scaling: {metric: rps, target: 1, window: 30s, scale_up_delay: 1s, scale_down_delay: 1s}';
    expect(await apply(`replicas: 0..1\n    ${scaling}`)).toMatchObject({ code: 0 });
    // Without a worker the router refuses, which counts as a request for one.
    const refused = await stack.until('the router', async () => {
      const answer = await ask('/v1/chat/completions');
      return answer.text.includes('no available workers') && answer;
    }, 60_000); // prettier-ignore
    expect(refused.status).toBe(503);
    for (const path of ['/workers', '/v1/..%2fworkers', '/'])
      expect([path, (await ask(path)).status]).toEqual([path, 403]);
    const answered = async () => {
      const answer = await ask('/v1/chat/completions');
      return answer.status === 200 && answer.text;
    };
    expect(await stack.until('a worker', answered, 60_000)).toMatch(/^worker \d+$/);
    // Gone from the router's list before it ends: it would be asked in vain.
    await stack.until('the worker to be gone', async () => stack.serverLog().includes('Replicas of group workers: 1 -> 0'), 90_000); // prettier-ignore
    // Asking meanwhile would wake it again.
    await stack.until('its end', async () => /TERMINATED \(scaled_down\) \(job llm-0-1\)/.test(stack.serverLog()), 30_000); // prettier-ignore
    await stack.until('the router to know', async () => (await ask('/v1/models')).text.includes('no available workers'), 20_000); // prettier-ignore
    expect(await stack.until('a worker again', answered, 60_000)).toMatch(/^worker \d+$/);
    expect(await stack.cli(['stop', '-y', '-x', 'llm'])).toMatchObject({ code: 0 });
  }, 240_000);

  it('whose workers find it themselves tells them where it is, and ends with it', async () => {
    const file = stack.file(
      'graph',
      `type: service
name: graph
port: 18950
gateway: false
env:
  - ${JSON.stringify(`FRONTEND=${FRONTEND}`)}
  - ${JSON.stringify(`BACKEND=${BACKEND}`)}
groups:
  - name: workers
    replicas: 1
    commands: ['exec ${node} -e "$BACKEND"']
    ${TINY}
  - name: router
    replicas: 1
    router: {type: dynamo}
    commands: ['exec ${node} -e "$FRONTEND"']
    ${TINY}
`,
    );
    expect(await stack.cli(['apply', '-y', '-d', '-f', file])).toMatchObject({ code: 0 });
    await stack.until('an answer of the worker', async () => {
      const answer = await ask('/v1/chat/completions', 'graph');
      return answer.text === '1 workers';
    }, 60_000); // prettier-ignore
    for (const path of ['/register', '/quit']) expect([path, (await ask(path, 'graph')).status]).toEqual([path, 403]);
    const run = await stack.api<Run>('/api/project/main/runs/get', { run_name: 'graph' });
    expect(run.jobs.map(({ job_submissions: [first] }) => first?.ready)).toEqual([true, true]);
    // A worker listens nowhere; the router is asked to go by one of its own paths.
    expect((await ask('/v1/quit', 'graph')).text).toBe('bye');
    await stack.until('the service to end with its router', async () => /failed|error/.test(await stack.statusOf('graph')), 60_000); // prettier-ignore
  }, 180_000);
});
