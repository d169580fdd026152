#!/usr/bin/env node
/**
 * `npm run bench:hosts`: how long an SSH fleet takes whose agents are in place already, and what each host costs the server.
 * One real host (namespaces, its own sshd and agent) answers at `--hosts` (50) addresses, so the figures are the server's side.
 * Prints one JSON line: a cold host with its agent uploaded, then all the others at once. Needs root.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestNetwork } from '../test-hosts/dist/index.js';

const root = new URL('../..', import.meta.url).pathname;
const pinned = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
const node = existsSync(pinned) ? pinned : process.execPath;
const option = (name, fallback) =>
  process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : fallback;
const count = Number(option('--hosts', '50'));
const LIMIT_MS = 5 * 60_000;

const work = mkdtempSync(join(tmpdir(), 'dstack-bench-'));
const network = await createTestNetwork();
let server;
try {
  const host = await network.host({ name: 'many' });
  const prefix = host.address.split('.').slice(0, 3).join('.');
  const addresses = Array.from({ length: count }, (_, index) => `${prefix}.${100 + index}`);
  await host.run(
    `dev=$(ip -o -4 addr show | sed -n '/ ${host.address}\\//s/^[0-9]*: \\([^ ]*\\) .*/\\1/p')
    ${addresses.map((address) => `ip addr add ${address}/24 dev "$dev"`).join('\n')}`,
  );
  server = await startServer();
  const key = { public: readFileSync(`${host.identityFile}.pub`, 'utf8').trim(), private: readFileSync(host.identityFile, 'utf8') }; // prettier-ignore
  const spec = (hosts) => ({
    configuration: { type: 'fleet', name: 'many', ssh_config: { user: host.user, ssh_key: key, hosts } },
    profile: { name: 'default' },
  });
  const cold = await applied(spec(addresses.slice(0, 1)), 1);
  await sleep(2_000);
  const before = use(server.child.pid);
  const warm = await applied(spec(addresses), count);
  await sleep(2_000);
  const after = use(server.child.pid);
  await sleep(30_000);
  const later = use(server.child.pid);
  const added = count - 1;
  const figures = {
    coldHostMs: cold,
    hosts: added,
    allIdleMs: warm,
    msPerHost: round(warm / added),
    cpuMsPerHost: round((after.cpuMs - before.cpuMs) / added),
    kbPerHost: Math.round((after.rssKb - before.rssKb) / added),
    rssMb: [before, after, later].map(({ rssKb }) => Math.round(rssKb / 1024)),
    idleCpuPercent: round((later.cpuMs - after.cpuMs) / 300),
  };
  console.log(JSON.stringify(figures));
} finally {
  if (server !== undefined) {
    const ended = new Promise((resolve) => server.child.once('exit', resolve));
    server.child.kill('SIGTERM');
    await ended;
  }
  await network.remove();
  rmSync(work, { recursive: true, force: true });
}

async function startServer() {
  const child = spawn(node, [join(root, 'apps/server/dist/main.js'), '--host', '127.0.0.1', '--port', '0'], {
    env: { PATH: process.env.PATH, HOME: work, DSTACK_SERVER_DIR: join(work, 'server') },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ready = await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the server exited with ${code}`)));
    child.once('message', resolve);
  });
  child.removeAllListeners('exit');
  return { child, ...ready };
}

async function call(path, body) {
  const response = await fetch(`${server.url}/api/project/main/fleets/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

/** Milliseconds from the request until every host is idle. */
async function applied(fleetSpec, expected) {
  const startedAt = performance.now();
  await call('apply', { plan: { spec: fleetSpec }, force: true });
  for (;;) {
    const { instances } = await call('get', { name: 'many' });
    const idle = instances.filter(({ status }) => status === 'idle').length;
    if (idle === expected) return Math.round(performance.now() - startedAt);
    const failed = instances.find(({ status }) => status === 'terminated');
    if (failed !== undefined || performance.now() - startedAt > LIMIT_MS)
      throw new Error(`${idle} of ${expected} hosts are idle: ${JSON.stringify(failed ?? instances[0])}`);
    await sleep(50);
  }
}

function use(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const rssKb = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return { rssKb, cpuMs: (Number(fields[11]) + Number(fields[12])) * 10 };
}

function round(value) {
  return Math.round(value * 10) / 10;
}
