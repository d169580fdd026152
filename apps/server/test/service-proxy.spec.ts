import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  request as httpRequest,
  type RequestListener,
  type Server,
} from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { JobPorts } from '../src/agents/job-ports.js';
import { Notices } from '../src/reconcile/notices.js';
import { writeJson } from '../src/reconcile/stored-json.js';
import { contractOperation } from '../src/http/contract.js';
import { SERVICE_OPERATIONS } from '../src/services/proxy/proxy-routes.js';
import { ServiceTrafficStore } from '../src/services/service-traffic.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';

const FOR_EVER = Number.MAX_SAFE_INTEGER;

let server: TestServer;
let port: number;
const replicas = new Map<string, number>();
const servers: Server[] = [];

beforeAll(async () => {
  server = await startTestServer({ port: 0, proxyUrl: 'http://services.example.com' });
  await server.app.listen(0, '127.0.0.1');
  port = (server.app.getHttpServer().address() as AddressInfo).port; // Nest types it as anything
  const ports = server.app.get(JobPorts, { strict: false });
  ports.open = (_instanceId, jobId) => dial(replicas.get(jobId) ?? 1);
});
afterAll(async () => {
  for (const each of servers) each.closeAllConnections();
  await Promise.all(servers.map((each) => new Promise((resolve) => each.close(resolve))));
  await server.close();
});

function dial(to: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(to, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

async function serve(answer: RequestListener): Promise<{ port: number; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const http = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  servers.push(http);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { port: (http.address() as AddressInfo).port, seen };
}

interface Chunk {
  readonly choices: readonly { readonly delta: { readonly content?: string }; readonly finish_reason: string | null }[];
}

const TOO_LONG = '{"error":"Input validation error: `inputs` is too long","error_type":"validation"}';

/** Speaks TGI's own API as its OpenAPI document has it; says what it was asked, and then the last of `stop`. */
function fakeTgi(): ReturnType<typeof serve> {
  return serve((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (more: string) => (body += more));
    request.once('end', () => {
      const { inputs, parameters } = JSON.parse(body) as { inputs: string; parameters: { stop: string[] } };
      const end = { finish_reason: 'stop_sequence', generated_tokens: 5, seed: 1 };
      const said = inputs + (parameters.stop.at(-1) ?? '');
      if (inputs.includes('TOO LONG')) {
        response.writeHead(422, { 'content-type': 'application/json' }).end(TOO_LONG);
      } else if (request.url === '/generate') {
        const prefill = [1, 2, 3].map((id) => ({ id, text: 'x', logprob: id === 1 ? null : -1 }));
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ generated_text: said, details: { ...end, prefill, tokens: [] } }));
      } else if (request.url === '/generate_stream') {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const [index, text] of [...said].entries()) {
          const isLast = index === said.length - 1;
          const token = { id: index, text, logprob: -1, special: false };
          const whole = isLast ? { generated_text: said, details: { ...end, input_length: 3 } } : {};
          response.write(`data:${JSON.stringify({ index, token, generated_text: null, details: null, ...whole })}\n\n`);
        }
        response.end();
      } else response.writeHead(404).end();
    });
  });
}

/** A service of `main` with so many ready replicas; gives its run's id. */
async function service(name: string, spec: object, ready: readonly number[]): Promise<string> {
  const runId = randomUUID();
  await server.db.write(async (tx) => {
    const [project] = await tx.query<{ id: string; owner_id: string }>(
      "SELECT id, owner_id FROM projects WHERE name = 'main'",
    );
    if (project === undefined) throw new Error('no project');
    const configuration = { type: 'service', port: 8000, commands: ['serve'], ...spec };
    await tx.execute(
      `INSERT INTO runs (id, project_id, user_id, name, submitted_at, status, status_changed_at, run_spec, lease_expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      // Its replicas are this file's own: as if another server looked after them.
      [
        runId,
        project.id,
        project.owner_id,
        name,
        1,
        'running',
        1,
        writeJson({ run_name: name, configuration }),
        FOR_EVER,
      ],
    );
  });
  await addReplicas(runId, ready);
  return runId;
}

async function addReplicas(runId: string, ready: readonly number[]): Promise<void> {
  await server.db.write(async (tx) => {
    for (const [index, to] of ready.entries()) {
      const jobId = randomUUID();
      replicas.set(jobId, to);
      const [instance] = await tx.query<{ id: string }>('SELECT id FROM instances LIMIT 1');
      const instanceId = instance?.id ?? (await anInstance(tx.execute.bind(tx), runId));
      await tx.execute(
        `INSERT INTO jobs (id, run_id, project_id, job_num, replica_num, submission_num, status, status_changed_at, submitted_at, job_spec,
           instance_id, registered) SELECT ?, id, project_id, 0, ?, 0, 'running', 1, 1, ?, ?, ? FROM runs WHERE id = ?`,
        [jobId, index, writeJson({ service_port: 8000, replica_group: '0' }), instanceId, true, runId],
      );
    }
  });
}

async function anInstance(
  execute: (sql: string, params: string[]) => Promise<unknown>,
  runId: string,
): Promise<string> {
  const id = randomUUID();
  await execute(
    `INSERT INTO instances (id, project_id, name, instance_num, status, status_changed_at, created_at)
     SELECT '${id}', project_id, 'one', 0, 'busy', 1, 1 FROM runs WHERE id = ?`,
    [runId],
  );
  return id;
}

interface Asked {
  readonly status: number;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', agent: false, path, method, headers }, (reply) => {
      let body = '';
      reply.setEncoding('utf8');
      reply.on('data', (text: string) => (body += text));
      reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body, headers: reply.headers }));
    });
    request.once('error', reject);
    request.end();
  });
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

it('a member reaches the replica, which sees its own path and no token', async () => {
  const replica = await serve((request, response) => response.end(`${request.method} ${request.url}`));
  await service('llm', {}, [replica.port]);
  const reply = await ask('/proxy/services/main/llm/v1/models?x=%20', bearer(server.adminToken));
  expect(reply).toMatchObject({ status: 200, body: 'GET /v1/models?x=%20' });
  expect(reply.headers['content-security-policy']).toContain('sandbox');
  expect(replica.seen[0]?.headers).toMatchObject({
    'x-forwarded-prefix': '/proxy/services/main/llm',
    'x-forwarded-for': '127.0.0.1',
  });
  expect(JSON.stringify(replica.seen[0]?.rawHeaders)).not.toContain(server.adminToken);
});

it('services have an origin of their own, which shows nothing else of the server', async () => {
  const replica = await serve((_request, response) => response.end('a page'));
  await service('page', { auth: false }, [replica.port]);
  const host = 'services.example.com';
  const reply = await ask('/proxy/services/main/page/', { host });
  expect(reply).toMatchObject({ status: 200, body: 'a page' });
  expect(reply.headers).not.toHaveProperty('content-security-policy');
  for (const path of ['/', '/healthcheck', '/api/docs', '/proxy/../api/docs'])
    expect([path, (await ask(path, { host })).status]).toEqual([path, 404]);
  expect((await ask('/api/users/get_my_user', { host, ...bearer(server.adminToken) }, 'POST')).status).toBe(404);
  expect((await ask('/healthcheck')).status).toBe(200);
});

it.each([
  ['nobody', {}, 403],
  ['a wrong token', bearer('wrong'), 403],
  ['another scheme', { authorization: 'Basic dXNlcjpwYXNz' }, 403],
])('%s is kept out, and learns nothing of what there is', async (_who, headers: Record<string, string>, status) => {
  const known = await ask('/proxy/services/main/llm/', headers);
  const unknown = await ask('/proxy/services/main/nothing/', headers);
  expect(known.status).toBe(status);
  expect({ ...unknown, headers: null }).toEqual({ ...known, headers: null });
});

it('a user of another project is kept out, and a member is in within seconds', async () => {
  const made = await server.post('/api/users/create', { username: 'eve', global_role: 'user' });
  expect(made.status).toBe(200);
  const creds = (await server.post('/api/users/get_user', { username: 'eve' })).body as { creds: { token: string } };
  const { token } = creds.creds;
  expect((await ask('/proxy/services/main/llm/', bearer(token))).status).toBe(403);
});

it('a service that is open to all gets credentials of its own, and never one of this server', async () => {
  const replica = await serve((_request, response) => response.end('open'));
  await service('open', { auth: false }, [replica.port]);
  expect((await ask('/proxy/services/main/open/')).body).toBe('open');
  await ask('/proxy/services/main/open/', { authorization: 'Bearer of-the-service' });
  await ask('/proxy/services/main/open/', bearer(server.adminToken));
  expect(replica.seen.map(({ headers }) => headers.authorization)).toEqual([
    undefined,
    'Bearer of-the-service',
    undefined,
  ]);
});

it.each(SERVICE_OPERATIONS.map(contractOperation))(
  '$method $path reaches the replica, or where its slash is',
  async ({ method, path }) => {
    const name = `by-${method.toLowerCase()}`;
    const replica = await serve((request, response) => response.end(request.url));
    if (path.endsWith('{path}')) await service(name, { auth: false }, [replica.port]);
    const place = `/proxy/services/main/${name}`;
    const reply = await ask(path.endsWith('{path}') ? `${place}/a/b` : place, {}, method);
    if (path.endsWith('{path}')) {
      expect(reply).toMatchObject({ status: 200, body: method === 'HEAD' ? '' : '/a/b' });
      expect(replica.seen.map((request) => request.method)).toEqual([method]);
    } else expect([reply.status, reply.headers.location]).toEqual([308, `${place}/`]);
  },
);

it('a replica that wants to see whole paths does', async () => {
  const replica = await serve((request, response) => response.end(request.url));
  await service('whole', { auth: false, strip_prefix: false }, [replica.port]);
  expect((await ask('/proxy/services/main/whole/a')).body).toBe('/proxy/services/main/whole/a');
});

it.each([
  ['/proxy/services/main/llm', 308, '/proxy/services/main/llm/'],
  ['/proxy/services/main/llm?a=1', 308, '/proxy/services/main/llm/?a=1'],
])('%s moves to where its slash is', async (path, status, location) => {
  const reply = await ask(path);
  expect([reply.status, reply.headers.location]).toEqual([status, location]);
});

it.each([
  '/proxy/services/main/llm/../../../api/users/list',
  '/proxy/services/main/llm/%2e%2e/%2e%2e/secret',
  '/proxy/services/main/llm//api/users/list',
])('%s stays within the service', async (path) => {
  const reply = await ask(path, bearer(server.adminToken));
  expect(reply.status).toBe(200);
  expect(reply.body).toBe(`GET ${path.slice('/proxy/services/main/llm'.length)}`);
});

it.each(['/proxy/services/ma%69n/llm/', '/proxy/services/main/ll%6d/', '/proxy/services/main//x'])(
  '%s is no name of a service',
  async (path) => {
    expect((await ask(path, bearer(server.adminToken))).status).toBe(404);
  },
);

it('there is no such service for a member', async () => {
  const reply = await ask('/proxy/services/main/nothing/', bearer(server.adminToken));
  expect([reply.status, JSON.parse(reply.body)]).toEqual([404, { detail: 'There is no such service' }]);
});

it('a request waits for the first replica, and all see that it does', async () => {
  const runId = await service('cold', { auth: false }, []);
  const waiting = ask('/proxy/services/main/cold/hello');
  const traffic = server.app.get(ServiceTrafficStore, { strict: false });
  while ((await traffic.read(runId, Date.now())).held === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  const replica = await serve((request, response) => response.end(`warm ${request.url}`));
  await addReplicas(runId, [replica.port]);
  server.app.get(Notices, { strict: false }).notifyOfReplicas(runId);
  expect(await waiting).toMatchObject({ status: 200, body: 'warm /hello' });
});

it('a replica that is gone is left out, and requests go on', async () => {
  const well = await serve((_request, response) => response.end('well'));
  await service('two', { auth: false }, [1, well.port]);
  for (const _ of [1, 2, 3, 4]) expect((await ask('/proxy/services/main/two/')).body).toBe('well');
});

it('a service whose only replica cannot be reached says so', async () => {
  await service('broken', { auth: false }, [1]);
  expect(await ask('/proxy/services/main/broken/')).toMatchObject({
    status: 502,
    body: '{"detail":"The replica of the service cannot be reached"}',
  });
});

it('something else than a WebSocket is not upgraded to', async () => {
  const socket = await dial(port);
  socket.write('GET /proxy/services/main/llm/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n');
  const [first] = await new Promise<string[]>((resolve) =>
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString().split('\r\n'))),
  );
  expect(first).toBe('HTTP/1.1 400 Bad Request');
  socket.destroy();
});

it('no WebSocket opens without the right to', async () => {
  const socket = await dial(port);
  socket.write(
    'GET /proxy/services/main/llm/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  const [first] = await new Promise<string[]>((resolve) =>
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString().split('\r\n'))),
  );
  expect(first).toBe('HTTP/1.1 403 Forbidden');
  socket.destroy();
});

describe('models of a project', () => {
  const asked = (path: string, body?: object) =>
    new Promise<Asked>((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = { ...bearer(server.adminToken), 'content-length': String(text.length) };
      const method = body === undefined ? 'GET' : 'POST';
      const request = httpRequest({ port, host: '127.0.0.1', agent: false, path, method, headers }, (reply) => {
        let read = '';
        reply.setEncoding('utf8');
        reply.on('data', (more: string) => (read += more));
        reply.once('end', () => resolve({ status: reply.statusCode ?? 0, body: read, headers: reply.headers }));
      });
      request.once('error', reject);
      request.end(text);
    });
  const served = async (name: string, model: object) => {
    const replica = await serve((request, response) => {
      let body = '';
      request.setEncoding('utf8');
      request.on('data', (more: string) => (body += more));
      request.on('end', () => response.end(`${name} ${request.url} ${body}`));
    });
    await serving(name, model, replica.port);
    return replica;
  };
  const serving = async (name: string, model: object, to: number) => {
    const runId = await service(name, { model }, [to]);
    await server.db.write((tx) => tx.execute(`UPDATE runs SET service_spec = '{"url": "/"}' WHERE id = ?`, [runId]));
  };

  it('are listed, and each call goes to the service of its model, without the token', async () => {
    await served('small', { type: 'chat', name: 'org/small', format: 'openai', prefix: '/v1' });
    const replica = await served('big', { type: 'chat', name: 'org/big', format: 'openai', prefix: '/api/v2/' });
    expect(JSON.parse((await asked('/proxy/models/main/models')).body)).toEqual({
      object: 'list',
      data: ['org/big', 'org/small'].map((id) => ({ object: 'model', id, created: 0, owned_by: 'main' })),
    });
    for (const call of ['chat/completions', 'completions', 'embeddings']) {
      const body = { model: 'org/big', input: 'hi' };
      const reply = await asked(`/proxy/models/main/${call}`, body);
      expect(reply).toMatchObject({ status: 200, body: `big /api/v2/${call} ${JSON.stringify(body)}` });
    }
    expect(JSON.stringify(replica.seen.map(({ rawHeaders }) => rawHeaders))).not.toContain(server.adminToken);
  });

  it.each([
    ['a model that is not there', { model: 'org/none' }, 404],
    ['no model', { messages: [] }, 400],
    ['no object', [], 400],
  ])('%s is refused', async (_what, body, status) => {
    expect((await asked('/proxy/models/main/chat/completions', body)).status).toBe(status);
  });

  describe('in the format of TGI', () => {
    const TGI = {
      type: 'chat',
      format: 'tgi',
      chat_template:
        "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}",
      eos_token: '</s>',
    };
    const messages = [{ role: 'user', content: 'hello' }];

    it('are asked as TGI has it, and answer as OpenAI has it, at once or in chunks', async () => {
      const replica = await fakeTgi();
      await serving('tgi', { ...TGI, name: 'org/tgi' }, replica.port);
      const one = await asked('/proxy/models/main/chat/completions', { model: 'org/tgi', messages });
      expect([one.status, JSON.parse(one.body)]).toMatchObject([
        200,
        {
          id: expect.stringMatching(/^chatcmpl-/) as string,
          object: 'chat.completion',
          created: expect.any(Number) as number,
          model: 'org/tgi',
          choices: [
            { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '[user]hello</s>[assistant]' } },
          ],
          usage: { prompt_tokens: 3, completion_tokens: 5, total_tokens: 8 },
        },
      ]);
      const streamed = await asked('/proxy/models/main/chat/completions', { model: 'org/tgi', messages, stream: true });
      expect([streamed.status, streamed.headers['content-type'], streamed.headers['x-accel-buffering']]).toEqual([
        200,
        'text/event-stream; charset=utf-8',
        'no',
      ]);
      const events = streamed.body.trimEnd().split('\n\n');
      expect(events.pop()).toBe('data: [DONE]');
      const choices = events.flatMap((each) => (JSON.parse(each.slice('data: '.length)) as Chunk).choices);
      expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe('[user]hello</s>[assistant]');
      expect(choices.map(({ finish_reason }) => finish_reason).filter((reason) => reason !== null)).toEqual(['stop']);
      expect(JSON.stringify(replica.seen.map(({ rawHeaders }) => rawHeaders))).not.toContain(server.adminToken);
    });

    it.each([true, false])("give the replica's refusal on (streaming: %s)", async (stream) => {
      const reply = await asked('/proxy/models/main/chat/completions', {
        model: 'org/tgi',
        messages: [{ role: 'user', content: 'TOO LONG' }],
        stream,
      });
      expect([reply.status, reply.body]).toEqual([422, TOO_LONG]);
    });

    it('that answer as something else are told of', async () => {
      const replica = await serve((_request, response) => response.end('{}'));
      await serving('odd', { ...TGI, name: 'org/odd' }, replica.port);
      const reply = await asked('/proxy/models/main/chat/completions', { model: 'org/odd', messages });
      expect([reply.status, JSON.parse(reply.body)]).toEqual([
        502,
        {
          detail: "The answer of the service's replica is none of TGI's: it has no generated text with details",
        },
      ]);
    });

    it('need a template and an end token in the configuration', async () => {
      await serving('bare', { type: 'chat', format: 'tgi', name: 'org/bare' }, 1);
      const reply = await asked('/proxy/models/main/chat/completions', { model: 'org/bare', messages });
      expect(reply.status).toBe(501);
      expect(reply.body).toContain('set chat_template and eos_token under model in its configuration');
    });

    it.each([
      ['chat/completions', { messages: 'hi' }, 400, 'messages: '],
      ['chat/completions', { messages: [{ role: 'user', content: 'x' }], tools: [{}] }, 400, 'tools: '],
      ['embeddings', { input: 'hi' }, 501, 'chat/completions only'],
    ])('are asked for %s with %j in vain', async (call, body, status, detail) => {
      const reply = await asked(`/proxy/models/main/${call}`, { model: 'org/tgi', ...body });
      expect([reply.status, reply.body]).toEqual([status, expect.stringContaining(detail)]);
    });

    it('whose template refuses a conversation say so', async () => {
      const chat_template = "{{ raise_exception('roles must alternate') }}";
      await serving('strict', { ...TGI, name: 'org/strict', chat_template }, 1);
      const reply = await asked('/proxy/models/main/chat/completions', { model: 'org/strict', messages });
      expect([reply.status, JSON.parse(reply.body)]).toEqual([
        400,
        { detail: 'The chat template of the model failed: roles must alternate' },
      ]);
    });
  });

  it('are for members only', async () => {
    expect((await ask('/proxy/models/main/models')).status).toBe(403);
  });
});
