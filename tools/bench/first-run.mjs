#!/usr/bin/env node
/**
 * `npm run bench`: what a person waits for, on this machine: CLI start, server cold start, resident memory when idle, and the time from
 * submit to the first log line as a process and (where there is an engine and an image is named) as a container.
 * Prints one JSON line; each time is the minimum, median and maximum of `--runs` (5).
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const root = new URL('../..', import.meta.url).pathname;
const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const option = (name, fallback) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback;
const runs = Number(option('--runs', '5'));
const image = option('--image', '');

const spread = (values) => {
  const sorted = [...values].sort((a, b) => a - b).map((ms) => Math.round(ms));
  return { min: sorted[0], median: sorted[Math.floor(sorted.length / 2)], max: sorted.at(-1) };
};
const timed = async (work) => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};
const residentMb = (pid) =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024);
const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

const work = mkdtempSync(join(tmpdir(), 'dstack-bench-'));
const env = { PATH: process.env.PATH, HOME: work };

async function startServer(dir) {
  const port = await freePort();
  const child = spawn(node, [join(root, 'apps/server/dist/main.js'), '--host', '127.0.0.1', '--port', String(port)], {
    env: { ...env, DSTACK_SERVER_DIR: dir },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const ready = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server exited with ${code}`)));
    child.once('message', resolve);
  });
  child.removeAllListeners('exit');
  return { child, ...ready };
}
const ended = (child) => new Promise((resolve) => child.once('exit', resolve));

/** Submits through the CLI and resolves at the marker's arrival on its stdout. */
async function firstLine(server, name, extra) {
  const file = join(work, `${name}.dstack.yml`);
  writeFileSync(
    file,
    `type: task\nname: ${name}\ncommands: ["echo first-line-marker"]\nresources: {cpu: 1.., memory: 64MB.., disk: 1GB..}\n${extra}\n`,
  );
  const child = spawn(node, [join(root, 'apps/cli/bin/dstack.mjs'), 'apply', '-y', '-f', file, '--project', 'main'], {
    cwd: work,
    env: { ...env, DSTACK_SERVER_URL: server.url, DSTACK_TOKEN: server.adminToken },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const startedAt = performance.now();
  const seen = await new Promise((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
      if (text.includes('first-line-marker')) resolve(performance.now() - startedAt);
    });
    child.once('exit', () => reject(new Error(`${name} ended without its line:\n${text}`)));
  });
  child.removeAllListeners('exit');
  if (child.exitCode === null) await ended(child);
  return seen;
}

const result = {};
const versions = [];
for (let i = 0; i < runs * 2; i += 1) {
  versions.push(
    await timed(async () =>
      execFileSync(node, [join(root, 'apps/cli/bin/dstack.mjs'), '--version'], { env, stdio: 'ignore' }),
    ),
  );
}
result.cliVersionMs = spread(versions);

const starts = [];
for (let i = 0; i < runs; i += 1) {
  const dir = join(work, `cold-${i}`);
  mkdirSync(dir);
  let server;
  starts.push(await timed(async () => (server = await startServer(dir))));
  const gone = ended(server.child);
  server.child.kill('SIGTERM');
  await gone;
}
result.serverColdStartMs = spread(starts);

const dir = join(work, 'server');
mkdirSync(dir);
const server = await startServer(dir);
try {
  await sleep(5_000);
  result.serverIdleRssMb = residentMb(server.child.pid);
  const times = [];
  for (let i = 0; i < runs; i += 1) times.push(await firstLine(server, `process-${i}`, ''));
  result.submitToFirstLineProcessMs = spread(times);
  if (image) {
    const container = [];
    for (let i = 0; i < runs; i += 1) container.push(await firstLine(server, `container-${i}`, `image: ${image}`));
    result.submitToFirstLineContainerMs = spread(container);
  }
  writeFileSync(
    join(work, 'idle.dstack.yml'),
    'type: task\nname: idle\ncommands: ["sleep 600"]\nresources: {cpu: 1.., memory: 64MB.., disk: 1GB..}\n',
  );
  execFileSync(
    node,
    [join(root, 'apps/cli/bin/dstack.mjs'), 'apply', '-y', '-d', '-f', 'idle.dstack.yml', '--project', 'main'],
    {
      cwd: work,
      env: { ...env, DSTACK_SERVER_URL: server.url, DSTACK_TOKEN: server.adminToken },
      stdio: 'ignore',
    },
  );
  await sleep(6_000);
  const local = join(dir, 'local');
  result.agentIdleRssMb = readdirSync(local)
    .map((name) => join(local, name, 'agent.pid'))
    .filter((file) => existsSync(file))
    .map((file) => residentMb(Number.parseInt(readFileSync(file, 'utf8'), 10)));
} finally {
  const gone = ended(server.child);
  server.child.kill('SIGTERM');
  await gone;
  try {
    execFileSync('pkill', ['-KILL', '-f', dir]);
  } catch {
    // Nothing was left running.
  }
  rmSync(work, { recursive: true, force: true, maxRetries: 5 });
}
console.log(JSON.stringify(result));
