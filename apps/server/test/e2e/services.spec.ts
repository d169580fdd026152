import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Wire } from '@dstack/core';
import { ServerProcess } from './server-process.js';

jest.setTimeout(180_000);
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

type Submission = Wire.JobSubmission & { readonly ready: boolean | null };

/** Answers with its version and its process, `/slow` after a while. */
const SCRIPT = `
const http = require('node:http');
let isUp = true;
http.createServer((request, response) => {
  const answer = () => response.end(process.env.VERSION + ' ' + process.pid);
  if (request.url === '/slow') setTimeout(answer, 3000);
  else if (request.url === '/down') { isUp = false; answer(); }
  else if (request.url === '/health') { response.statusCode = isUp ? 200 : 503; response.end(); }
  else if (request.url === '/exit') { answer(); setTimeout(() => process.exit(1), 50); }
  else answer();
}).listen(Number(process.env.DSTACK_SERVICE_PORT), '127.0.0.1');
`;
const command = `${process.execPath} -e "$SCRIPT"`;

const service = (name: string, version: string, more: object = {}): object => ({
  type: 'service',
  name,
  port: 18_400,
  gateway: false,
  env: { VERSION: version, SCRIPT },
  commands: [command],
  ...more,
});

describe('services on this machine', () => {
  const server = new ServerProcess(null);

  beforeAll(() => server.start());
  afterAll(() => server.destroy());

  const latest = (run: Wire.Run): Submission[] =>
    run.jobs.map((job) => job.job_submissions.at(-1) as Submission).filter((job) => job.status === 'running');
  const readyCount = (run: Wire.Run): number => latest(run).filter((job) => job.ready === true).length;
  const hasReady = (count: number) => (run: Wire.Run) => readyCount(run) === count && latest(run).length === count;
  const ask = async (name: string, path = '/'): Promise<string> => {
    const reply = await server.fetch(`/proxy/services/main/${name}${path}`);
    return reply.ok ? reply.text() : `${reply.status}`;
  };
  const seen = async (name: string, times = 12): Promise<Set<string>> =>
    new Set(await Promise.all(Array.from({ length: times }, () => ask(name))));

  it('run with two replicas, and replace one that ends', async () => {
    await server.apply(service('web', 'one', { replicas: 2, retry: true }));
    const run = await server.until('web', hasReady(2));
    expect(run.service).toEqual({ url: '/proxy/services/main/web/', model: null, options: {} });
    const before = await seen('web');
    expect(before.size).toBe(2);
    await ask('web', '/exit');
    await server.until('web', (now) => now.jobs.some((job) => job.job_submissions.length === 2) && hasReady(2)(now));
    const after = await seen('web');
    expect(after.size).toBe(2);
    expect([...after].filter((answer) => before.has(answer))).toHaveLength(1);
  });

  it('get other numbers of replicas without a restart, and drain those that go', async () => {
    const current = await server.run('web');
    const slow = Promise.all(Array.from({ length: 8 }, () => ask('web', '/slow')));
    await sleep(500);
    await server.apply(service('web', 'one', { replicas: 1, retry: true }), { current });
    await server.until('web', hasReady(1));
    expect((await slow).every((answer) => answer.startsWith('one '))).toBe(true);
    const run = await server.run('web');
    expect(latest(current).map((job) => job.id)).toContain(latest(run)[0]?.id);
  });

  it('are replaced one after another by an update, without a failed request', async () => {
    const current = await server.run('web');
    const answers: string[] = [];
    let isOver = false;
    const asking = (async () => {
      while (!isOver) {
        answers.push(await ask('web'));
        await sleep(20);
      }
    })();
    await server.apply(service('web', 'two', { replicas: 1, retry: true }), { current });
    await server.until(
      'web',
      (run) => hasReady(1)(run) && latest(run).every((job) => job.deployment_num === (current.deployment_num ?? 0) + 1),
      90_000,
    );
    isOver = true;
    await asking;
    expect(answers.filter((answer) => !/^(one|two) \d+$/.test(answer))).toEqual([]);
    expect([...(await seen('web'))].every((answer) => answer.startsWith('two '))).toBe(true);
  });

  it('keep what serves when an update fails', async () => {
    const current = await server.run('web');
    await server.apply(service('web', 'three', { replicas: 1, retry: true, commands: ['exit 3'] }), { current });
    const run = await server.until(
      'web',
      ({ deployment_num: num }) => num === (current.deployment_num ?? 0) + 2,
      90_000,
    );
    expect(run.status_message).toBe('running (update rolled back)');
    expect(await ask('web')).toMatch(/^two /);
    const settled = await server.until('web', hasReady(1));
    expect(latest(settled).map((job) => job.id)).toEqual(latest(current).map((job) => job.id));
    await server.stop('web');
    await server.finished('web');
  });

  it('get requests only while their probes say so', async () => {
    const probes = [{ type: 'http', url: '/health', interval: 1, timeout: 2, ready_after: 2 }];
    await server.apply(service('probed', 'one', { probes }));
    const run = await server.until('probed', hasReady(1));
    expect(latest(run)[0]?.probes).toEqual([{ success_streak: 2 }]);
    expect(await ask('probed')).toMatch(/^one /);
    await ask('probed', '/down');
    await server.until('probed', (now) => latest(now).length === 1 && readyCount(now) === 0);
    await server.stop('probed', true);
    await server.finished('probed');
  });

  it('start with the first request, and it waits for them', async () => {
    const scaling = { metric: 'rps', target: 1, scale_down_delay: 0, window: 30 };
    await server.apply(service('sleepy', 'one', { replicas: '0..1', scaling }));
    await server.until('sleepy', (run) => run.status === 'pending');
    const first = await ask('sleepy');
    if (first === '503') console.log(server.log().slice(-3000), await server.run('sleepy'));
    expect(first).toMatch(/^one /);
    await server.until('sleepy', (run) => run.status === 'pending', 90_000);
    await server.stop('sleepy');
    await server.finished('sleepy');
  });
});
