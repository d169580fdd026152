import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { testDatabases } from '../support/test-databases.js';
import { runSpec, ServerProcess, submission } from './server-process.js';

jest.setTimeout(120_000);
const root = join(import.meta.dirname, '../../../..');

beforeAll(() => {
  // The programs run as they are shipped: built.
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const projects = [
    'apps/server/tsconfig.lib.json',
    'apps/agent/tsconfig.lib.json',
    'libs/backends/local/tsconfig.lib.json',
  ];
  execFileSync(process.execPath, [tsc, '-b', ...projects], { cwd: root, stdio: 'inherit' });
});

const lines = (count: number): string =>
  Array.from({ length: count }, (_line, index) => `line ${index + 1}\n`).join('');

/** The command line's stories (tools/e2e) run on Postgres every time. */
const isFull = process.env['DSTACK_TEST_FULL'] === '1';
const databases = testDatabases().filter(({ name }) => isFull || name === 'SQLite');

describe.each(databases)('runs on this machine, state in $name', ({ location }) => {
  let server: ServerProcess;

  beforeAll(async () => {
    const at = await location();
    server = new ServerProcess(at.dialect === 'postgres' ? at.url : null);
    await server.start();
  });

  afterAll(async () => {
    await server.destroy();
  });

  it('runs a task and keeps its output', async () => {
    await server.apply({ name: 'hello', commands: ['echo hello', 'echo bye'] });
    const run = await server.finished('hello');
    expect(submission(run)).toMatchObject({ status: 'done', exit_status: 0, termination_reason: 'done_by_runner' });
    expect(run.status).toBe('done');
    expect(await server.logs('hello')).toBe('hello\nbye\n');
  });

  it('tells the exit code of a task that fails', async () => {
    await server.apply({ name: 'failing', commands: ['echo before', 'sh -c "exit 3"', 'echo after'] });
    const run = await server.finished('failing');
    expect(run).toMatchObject({ status: 'failed', termination_reason: 'job_failed' });
    expect(submission(run)).toMatchObject({ status: 'failed', exit_status: 3, status_message: 'exited (3)' });
    const log = await server.logs('failing');
    expect(log).toMatch(/^before\n/);
    expect(log).not.toContain('after');
  });

  it('lets a stopped task finish its work, and keeps what it prints meanwhile', async () => {
    await server.apply({
      name: 'graceful',
      commands: ["trap 'echo saving; sleep 1; echo saved; exit 0' INT\necho ready\nwhile true; do sleep 0.1; done"],
    });
    await server.until('graceful', (run) => run.status === 'running');
    await until(async () => (await pollLog(server, 'graceful')).includes('ready'));
    await server.stop('graceful');
    const run = await server.finished('graceful');
    expect(run).toMatchObject({ status: 'terminated', termination_reason: 'stopped_by_user' });
    expect(submission(run).status).toBe('terminated');
    const log = await server.logs('graceful');
    expect(log).toContain('saving');
    expect(log).toContain('saved');
  });

  it('ends an aborted task at once, whatever it traps', async () => {
    await server.apply({
      name: 'stubborn',
      commands: ["trap '' INT TERM\necho ready\nwhile true; do sleep 0.1; done"],
    });
    await server.until('stubborn', (run) => run.status === 'running');
    await server.stop('stubborn', true);
    const run = await server.until('stubborn', (each) => each.status === 'terminated', 15_000);
    expect(submission(run).status).toBe('aborted');
  });

  it('takes the grace period away when an abort follows a stop', async () => {
    await server.apply({
      name: 'impatient',
      commands: ["trap '' INT TERM\necho ready\nwhile true; do sleep 0.1; done"],
    });
    await server.until('impatient', (run) => run.status === 'running');
    await server.stop('impatient');
    await server.until('impatient', (run) => submission(run).status === 'terminating');
    await server.stop('impatient', true);
    expect(submission(await server.until('impatient', (run) => run.status === 'terminated', 15_000)).status).toBe(
      'aborted',
    );
  });

  it('ends a task at its max_duration', async () => {
    await server.apply({ name: 'endless', max_duration: 1, commands: ['while true; do sleep 0.1; done'] });
    const run = await server.finished('endless');
    expect(submission(run)).toMatchObject({ status: 'terminated', termination_reason: 'max_duration_exceeded' });
  });

  it('hands environment and secrets to the job, and refuses a secret nobody has set', async () => {
    await server.post('project/main/secrets/create_or_update', { name: 'key', value: 's3cret' });
    await server.apply({
      name: 'env',
      env: { PLAIN: 'a b', KEY: '${{ secrets.key }}' },
      commands: ['echo "$PLAIN/$KEY/$DSTACK_RUN_NAME"'],
    });
    await server.finished('env');
    expect(await server.logs('env')).toBe('a b/s3cret/env\n');
    await server.apply({ name: 'nosecret', env: { KEY: '${{ secrets.missing }}' }, commands: ['echo never'] });
    const run = await server.finished('nosecret');
    expect(submission(run).termination_reason_message).toContain("no secret 'missing'");
  });

  it('shows a secret to the job only, and leaves it nowhere when the job has ended', async () => {
    const canary = 'canary-51c9e2';
    await server.post('project/main/secrets/create_or_update', { name: 'canary', value: canary });
    const configuration = {
      name: 'quiet',
      env: { KEY: '${{ secrets.canary }}' },
      commands: ['test -n "$KEY"', 'exit 3'],
    };
    const told = [
      await server.post('project/main/runs/get_plan', { run_spec: runSpec(configuration) }),
      await server.apply(configuration),
      await server.finished('quiet'),
      await server.post('events/list', {}),
    ];
    expect(submission(await server.run('quiet')).exit_status).toBe(3);
    expect(JSON.stringify(told)).not.toContain(canary);
    await until(async () => filesWith(canary, server.dir).length === 0);
    expect(server.log()).not.toContain(canary);
  });

  it('keeps 100000 lines complete and in order', async () => {
    await server.apply({ name: 'loud', commands: ['seq -f "line %.0f" 1 100000'] });
    await server.finished('loud');
    expect(await server.logs('loud')).toBe(lines(100_000));
  });

  it('says why nothing fits', async () => {
    const big = { name: 'big', commands: ['true'], resources: { cpu: '1..', memory: '900000GB..', disk: null } };
    const plan = await server.post<{
      job_plans: { offers: { availability: string; availability_reason: string }[] }[];
    }>('project/main/runs/get_plan', { run_spec: runSpec(big) });
    expect(JSON.stringify(plan.job_plans[0])).toContain('memory');
    await server.apply(big);
    const run = await server.finished('big');
    expect(submission(run)).toMatchObject({
      status: 'failed',
      termination_reason: 'failed_to_start_due_to_no_capacity',
      job_provisioning_data: null,
    });
    expect(submission(run).termination_reason_message).toContain('memory');
  });

  it('gives idle room up for a job of another shape', async () => {
    const cpus = availableParallelism();
    await server.apply({
      name: 'whole',
      commands: ['echo 1'],
      resources: { cpu: `${cpus}..`, memory: '0.1GB..', disk: null },
    });
    expect((await server.finished('whole')).status).toBe('done');
    await server.apply({
      name: 'other',
      commands: ['echo 2'],
      resources: { cpu: `${cpus}..`, memory: '0.2GB..', disk: null },
    });
    expect((await server.finished('other')).status).toBe('done');
  });

  it('lets a run wait for the place of one that is stopping', async () => {
    const resources = { cpu: `${availableParallelism()}..`, memory: '0.1GB..', disk: null };
    const goodbye = "trap 'sleep 2; exit 0' INT\necho ready\nwhile true; do sleep 0.1; done";
    await server.apply({ name: 'leaving', commands: [goodbye], resources });
    await until(async () => (await pollLog(server, 'leaving').catch(() => '')).includes('ready'));
    await server.stop('leaving');
    await server.apply({ name: 'next', commands: ['echo mine'], resources });
    expect((await server.finished('next')).status).toBe('done');
  });

  it('starts runs that arrive together, as far as this machine has room', async () => {
    const names = ['twin-a', 'twin-b'].slice(0, availableParallelism());
    await Promise.all(names.map((name) => server.apply({ name, commands: ['echo ok'] })));
    for (const name of names) expect((await server.finished(name)).status).toBe('done');
  });

  it('applies once, however often the same request arrives', async () => {
    const [a, b] = await Promise.all([1, 2].map(() => server.apply({ commands: ['echo once'] }, { key: 'same' })));
    expect(a?.id).toBe(b?.id);
    await server.finished(a?.run_spec.run_name ?? '');
  });

  it('changes an active run in place, and refuses what needs a stop', async () => {
    const configuration = { name: 'updated', commands: ['while true; do sleep 0.1; done'] };
    await server.apply(configuration);
    const run = await server.until('updated', (each) => each.status === 'running');
    const stale = server.send('project/main/runs/apply', {
      plan: { run_spec: runSpec({ ...configuration, priority: 7 }), current_resource: null },
      force: false,
    });
    expect((await stale).status).toBe(400);
    await server.apply({ ...configuration, priority: 7 }, { current: run });
    const updated = await server.until('updated', (each) => submission(each).deployment_num === 1);
    expect(updated.run_spec.configuration.priority).toBe(7);
    expect(submission(updated).id).toBe(submission(run).id);
    const refused = await server.send('project/main/runs/apply', {
      plan: { run_spec: runSpec({ ...configuration, commands: ['echo other'] }), current_resource: updated },
      force: true,
    });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('commands')]);
    await server.stop('updated', true);
    await server.finished('updated');
    const next = await server.apply({ ...configuration, commands: ['echo other'] });
    expect(next.id).not.toBe(run.id);
    expect((await server.finished('updated')).status).toBe('done');
  });

  it('loses and repeats no line when the server is killed', async () => {
    await server.apply({ name: 'survivor', commands: ['for i in $(seq 1 300); do echo "line $i"; sleep 0.01; done'] });
    await until(async () => (await pollLog(server, 'survivor')).includes('line 20\n'));
    await server.kill('SIGKILL');
    await server.start();
    await sleep(200);
    await server.kill('SIGKILL');
    await server.start();
    expect((await server.finished('survivor')).status).toBe('done');
    expect(await server.logs('survivor')).toBe(lines(300));
  });

  it('loses and repeats no line when the agent is killed', async () => {
    await server.apply({ name: 'orphan', commands: ['for i in $(seq 1 500); do echo "line $i"; sleep 0.01; done'] });
    await until(async () => (await pollLog(server, 'orphan')).includes('line 20\n'));
    for (const pid of server.agentPids()) process.kill(pid, 'SIGKILL');
    expect((await server.finished('orphan')).status).toBe('done');
    expect(await server.logs('orphan')).toBe(lines(500));
  });

  it('gives every machine back when the fleet goes', async () => {
    await server.post('project/main/fleets/delete', { names: ['default'] });
    await until(async () => {
      const instances = await server.post<unknown[]>('instances/list', { only_active: true });
      return instances.length === 0;
    });
    expect(server.agentPids().filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
  });
});

async function pollLog(server: ServerProcess, name: string): Promise<string> {
  const run = await server.run(name);
  const reply = await server.post<{ logs: { message: string }[] }>('project/main/logs/poll', {
    run_name: name,
    job_submission_id: submission(run).id,
    limit: 1000,
  });
  return reply.logs
    .map(({ message }) => Buffer.from(message, 'base64').toString())
    .join('')
    .replaceAll('\r\n', '\n');
}

function filesWith(text: string, dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = entries.map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => readFileSync(path, 'latin1').includes(text));
}

async function until(is: () => Promise<boolean>, limitMs = 45_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await is().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await sleep(50);
  }
}
