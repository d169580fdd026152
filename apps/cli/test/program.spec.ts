import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { plan, provisioned, run, submission } from './builders.js';

/** The built program: `tsc -b` comes before the tests. */
const PROGRAM = fileURLToPath(new URL('../bin/dstack.mjs', import.meta.url));

type Route = (body: unknown, response: ServerResponse) => void;

let server: Server;
let work: string;
const routes = new Map<string, Route>();
const reply =
  (value: unknown, status = 200): Route =>
  (_, response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'dstack-program-'));
  routes.clear();
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const route = routes.get((request.url ?? '').split('?')[0] ?? '') ?? reply({ detail: 'Not Found' }, 404);
      route(text.startsWith('{') ? JSON.parse(text) : text, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(work, { recursive: true, force: true });
});

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function dstack(args: readonly string[], onOutput?: (text: string, interrupt: () => void) => void): Promise<Result> {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: work,
    env: { PATH: process.env['PATH'], HOME: work, DSTACK_SERVER_URL: url, DSTACK_TOKEN: 't', DSTACK_PROJECT: 'main' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    onOutput?.(stdout, () => child.kill('SIGINT'));
  });
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
}

function logFrame(payload: string): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32BE(payload.length, 0);
  head.writeBigUInt64BE(BigInt(payload.length), 4);
  return Buffer.concat([head, Buffer.from(payload)]);
}

/** A server on which the run ends with this exit status after printing a line. */
function serveRun(exitStatus: number): void {
  const running = submission({ status: 'running', job_provisioning_data: provisioned() });
  const ended = submission({ ...running, status: exitStatus === 0 ? 'done' : 'failed', exit_status: exitStatus });
  let current = run({ name: 'train', status: 'running', job: running });
  routes.set('/api/project/main/runs/get_plan', reply(plan({ name: 'train' })));
  routes.set('/api/project/main/runs/apply', reply(current));
  routes.set('/api/project/main/runs/get', (body, response) => reply(current)(body, response));
  routes.set('/api/project/main/runs/train/logs/stream', (_, response) => {
    current = run({ name: 'train', status: exitStatus === 0 ? 'done' : 'failed', job: ended });
    response.end(logFrame('before the end\r\n'));
  });
  writeFileSync(join(work, 'train.dstack.yml'), 'type: task\nname: train\ncommands: [echo]\n');
}

describe('the program', () => {
  it('tells its version', async () => {
    expect(await dstack(['--version'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    });
  });

  it.each([
    [['nonsense'], 2, 'There is no command nonsense.'],
    [['ps', '--nonsense'], 2, 'There is no option --nonsense.'],
    [['stop'], 2, 'RUN_NAME is missing: the run'],
    [['apply', '-f', 'none.yml'], 1, 'Configuration file none.yml does not exist.'],
    [['logs', 'x', '--since', 'soon'], 2, '--since soon is neither'],
  ])('%j ends with %i and says what to do', async (args, code, message) => {
    const result = await dstack(args);
    expect(result).toMatchObject({ code, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr.trim().split('\n').length).toBeGreaterThan(1);
    expect(result.stderr).not.toMatch(/\n\s+at /);
  });

  it('goes on watching when the server was away, and ends with Ctrl-C while it is asked', async () => {
    let asked = 0;
    let interrupt: (() => void) | undefined;
    routes.set('/api/runs/list', (body, response) => {
      asked += 1;
      if (asked === 1) reply({ detail: 'it starts' }, 500)(body, response);
      else if (asked === 2) reply([run({ name: 'train', status: 'running' })])(body, response);
      else interrupt?.(); // and no answer
    });
    const result = await dstack(['ps', '-w'], (_text, ctrlC) => (interrupt = ctrlC));
    expect(result).toMatchObject({ code: 0, stderr: 'The server does not answer; trying again for 2 minutes.\n' });
    expect(result.stdout).toContain('train');
  });

  it.each<[string, Route, number, string]>([
    ['of a project without any is empty', reply({ project_name: 'main' }), 0, ''],
    ['is none in a project that is not there', reply({ detail: [{ msg: 'Not found', code: null }] }, 404), 1, 'There is no project main'],
    ['is none for who is no member', reply({ detail: { msg: 'Access denied', code: null } }, 403), 1, 'You are no member of the project main'],
  ])('the list of runs %s', async (_where, project, code, message) => {
    routes.set('/api/runs/list', reply([]));
    routes.set('/api/projects/main/get', project);
    const result = await dstack(['ps']);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
  }); // prettier-ignore

  it('stops only what is not over yet, and says so without asking', async () => {
    const ended = run({
      name: 'train',
      status: 'done',
      job: submission({ status: 'done', status_message: 'exited (0)' }),
    });
    routes.set('/api/project/main/runs/get', reply(ended));
    const result = await dstack(['stop', 'train']);
    expect(result).toMatchObject({ code: 0, stdout: 'Run train is over already: exited (0).\n' });
  });

  it('shows how a run uses its machine until Ctrl-C', async () => {
    serveRun(0);
    const series = (name: string, ...values: number[]) => ({ name, timestamps: values.map(() => '2026-01-01T00:00:00Z'), values }); // prettier-ignore
    const metrics = [series('cpu_usage_percent', 50, 0), series('memory_working_set_bytes', 1, 1)];
    routes.set('/api/project/main/metrics/job/train', reply({ metrics }));
    const result = await dstack(['metrics', '-w', 'train'], (text, interrupt) => {
      if (text.includes('50%')) interrupt();
    });
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('UTILIZATION');
    expect(result.stdout).not.toContain('\u001b');
  });

  it('prints errors as JSON when asked to', async () => {
    routes.set('/api/runs/list', reply({ detail: { msg: 'Invalid token', code: null } }, 403));
    const result = await dstack(['ps', '--json']);
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: 'unauthenticated', message: 'Invalid token' } });
  });

  it('prints runs as JSON with nothing else on stdout', async () => {
    routes.set('/api/runs/list', reply([run({ name: 'train', status: 'running' })]));
    const result = await dstack(['ps', '--format', 'json']);
    expect(JSON.parse(result.stdout)).toMatchObject({ project: 'main', runs: [{ status: 'running' }] });
  });

  it('does not wait for an answer nobody can give', async () => {
    serveRun(0);
    const result = await dstack(['apply', '-f', 'train.dstack.yml']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('Pass -y');
  });

  it.each([0, 7])("shows the log of an attached run and ends with the job's code %i", async (exitStatus) => {
    serveRun(exitStatus);
    const result = await dstack(['apply', '-y', '-f', 'train.dstack.yml']);
    expect(result.stdout).toContain('before the end\r\n');
    expect(result.code).toBe(exitStatus);
  });

  it('leaves the run alone on Ctrl-C without a terminal, says so, and ends with 130', async () => {
    serveRun(0);
    routes.set('/api/project/main/runs/train/logs/stream', (_, response) => void response.write(logFrame('working\n')));
    const result = await dstack(['apply', '-y', '-f', 'train.dstack.yml'], (text, interrupt) => {
      if (text.includes('working')) interrupt();
    });
    expect(result.code).toBe(130);
    expect(result.stderr).toContain('The run train goes on.');
  });

  it('refuses a bad file with file, line and what was meant', async () => {
    writeFileSync(join(work, 'bad.yml'), 'type: task\ncommands: [echo]\nresuorces:\n  cpu: 1\n');
    const result = await dstack(['apply', '-y', '-f', 'bad.yml']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/bad\.yml:3[\s\S]*resuorces[\s\S]*resources/);
  });

  it('shows in a dry run what would change, and changes nothing', async () => {
    const current = run({ name: 'train', status: 'running' });
    const edited = { ...plan({ name: 'train' }), current_resource: current, action: 'update' };
    edited.run_spec = { ...current.run_spec, configuration: { type: 'task', commands: ['x'], priority: 5 } };
    routes.set('/api/project/main/runs/get_plan', reply(edited));
    writeFileSync(join(work, 'train.dstack.yml'), 'type: task\nname: train\ncommands: [x]\npriority: 5\n');
    const result = await dstack(['apply', '--dry-run', '-f', 'train.dstack.yml']);
    expect(result.stdout).toContain('- priority: unset → 5');
    expect(result.code).toBe(0);
  });

  it('creates a fleet: a switch that is not given is false in the request', async () => {
    const spec = { configuration: { type: 'fleet', name: 'pool', nodes: 1 }, profile: {} };
    const planned = { project_name: 'main', user: 'alice', spec, offers: [], total_offers: 0, action: 'create' };
    const fleet = { id: 'f1', name: 'pool', project_name: 'main', spec, status: 'active', instances: [] };
    let applied: unknown;
    routes.set('/api/project/main/fleets/get_plan', reply(planned));
    routes.set('/api/project/main/fleets/get', reply(fleet));
    routes.set('/api/project/main/fleets/apply', (body, response) => {
      applied = body;
      reply({ ...fleet, created_at: '2026-01-02T03:04:05Z' })(body, response);
    });
    writeFileSync(join(work, 'f.yml'), 'type: fleet\nname: pool\nnodes: 1\n');
    const result = await dstack(['apply', '-y', '-d', '-f', 'f.yml']);
    expect(result).toMatchObject({ code: 0, stdout: expect.stringContaining('Fleet pool submitted') as string });
    expect(applied).toMatchObject({ force: false });
  });

  it('names what a command of 0.21 that is not built comes to', async () => {
    const result = await dstack(['preset', 'list']);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('preset is not built yet') as string });
  });

  it('does not read a broken configuration when the environment names the server', async () => {
    mkdirSync(join(work, '.dstack'));
    writeFileSync(join(work, '.dstack/config.yml'), 'projects: [oops');
    routes.set('/api/runs/list', reply([run({ status: 'running' })]));
    expect(await dstack(['ps'])).toMatchObject({ code: 0, stderr: '' });
  });

  it('stores no empty secret by mistake', async () => {
    const result = await dstack(['secret', 'set', 'token']);
    expect(result).toMatchObject({ code: 2, stderr: expect.stringContaining('Standard input is empty') as string });
  });

  it('refuses options that the type does not take', async () => {
    writeFileSync(join(work, 'f.yml'), 'type: fleet\nname: pool\nnodes: 1\n');
    const result = await dstack(['apply', '-y', '-f', 'f.yml', '--gpu', 'H100']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('--gpu');
  });
});
