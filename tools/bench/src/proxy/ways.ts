import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '@dstack/e2e/programs';
import { startReady } from '../programs/ready-process.js';
import { startGateway } from './gateway.js';
import { startNginx } from './nginx.js';

/** A way to the same replica. */
export interface Way {
  readonly name: 'the replica itself' | 'nginx' | 'plain Node' | 'the server' | 'a gateway';
  readonly port: number;
  /** Before the path. */
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the processes that pass requests on. */
  readonly pids: readonly number[];
}

const program = (name: string): string => join(repositoryRoot, `tools/bench/dist/proxy/${name}.js`);

/** All ways side by side, for as long as `work` takes. */
export async function withWays<T>(work: (ways: readonly Way[]) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'dstack-bench-'));
  const env = { PATH: process.env.PATH, HOME: directory };
  const ends: (() => Promise<void>)[] = [];
  try {
    const upstream = await startReady<{ port: number }>([program('upstream')], env);
    ends.push(() => upstream.end());
    const { port } = upstream.ready;
    const plain = await startReady<{ port: number }>([program('plain-proxy'), String(port)], env);
    ends.push(() => plain.end());
    const server = await startReady<{ port: number; token: string }>(
      [program('proxy-server'), String(port), join(directory, 'server')],
      env,
    );
    ends.push(() => server.end('SIGKILL'));
    const nginx = await startNginx(directory, port);
    if (nginx !== null) ends.push(() => nginx.end());
    const gateway = await startGateway(port);
    if (gateway !== null) ends.push(() => gateway.end());
    const bare = { prefix: '', headers: {} };
    return await work([
      { name: 'the replica itself', port, pids: [upstream.pid], ...bare },
      ...(nginx === null ? [] : [{ name: 'nginx' as const, port: nginx.port, pids: [nginx.workerPid], ...bare }]),
      { name: 'plain Node', port: plain.ready.port, pids: [plain.pid], ...bare },
      {
        name: 'the server',
        port: server.ready.port,
        pids: [server.pid],
        prefix: '/proxy/services/main/bench',
        headers: { authorization: `Bearer ${server.ready.token}` },
      },
      ...(gateway === null ? [] : [{ name: 'a gateway' as const, prefix: '', ...gateway }]),
    ]);
  } finally {
    for (const end of ends.reverse()) await end();
    rmSync(directory, { recursive: true, force: true });
  }
}
