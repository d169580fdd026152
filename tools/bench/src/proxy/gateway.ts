import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { freePort } from '@dstack/e2e/free-port';
import { node, repositoryRoot } from '@dstack/e2e/programs';
import { until } from '@dstack/e2e/until';
import { createGatewayClient, type GatewayApi } from '@dstack/gateway-protocol';
import { BenchSshd, hasSshd } from '../ssh/bench-sshd.js';

const PROGRAM = join(repositoryRoot, 'apps/gateway/dist/main.js');
const TOKEN = 'a-token-of-the-bench';
export const GATEWAY_HOST = 'bench.test';

export interface BenchGateway {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the program, its tunnel and nginx's workers: what works on the gateway's machine. */
  readonly pids: readonly number[];
  readonly end: () => Promise<void>;
}

/** The real program of a gateway with its nginx; its replica is the port, on a host that is reached over SSH on loopback. Null where there is no nginx or sshd. */
export async function startGateway(replicaPort: number): Promise<BenchGateway | null> {
  if (!hasSshd || !existsSync('/usr/sbin/nginx')) return null;
  // nginx's workers are another user, who has to come to its sockets.
  const dir = mkdtempSync(join(tmpdir(), 'dstack-bench-gateway-'));
  const sshd = await BenchSshd.start();
  const [port, httpsPort] = [await freePort(), await freePort()];
  const flags = ['--dir', dir, '--http-port', String(port), '--https-port', String(httpsPort), '--listen', '127.0.0.1'];
  const options = (process.env['BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);
  const child = spawn(node, [...options, PROGRAM, 'serve', ...flags], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const client = createGatewayClient({ connect: join(dir, 'gateway.sock') });
  await until('the gateway to answer', () => client.info(AbortSignal.timeout(1_000)).then(() => true, () => false)); // prettier-ignore
  await serve(client, sshd, replicaPort);
  const master = Number(readFileSync(join(dir, 'nginx', 'nginx.pid'), 'utf8'));
  await untilPast(dir, port);
  const program = child.pid ?? Number.NaN;
  return {
    port,
    headers: headersOfBench(),
    pids: [program, ...childrenOf(program), ...childrenOf(master).filter(isWorker)],
    end: async () => {
      child.kill('SIGTERM');
      process.kill(master, 'SIGTERM');
      await gone;
      await sshd.remove();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function serve(client: GatewayApi, { target }: BenchSshd, replicaPort: number): Promise<void> {
  const { host, port, user, privateKeys } = target;
  const service = {
    id: 'bench',
    project: 'main',
    run: 'bench',
    host: GATEWAY_HOST,
    https: 'none' as const,
    auth: true,
    replicas: [
      {
        id: 'one',
        group: '0',
        hops: [{ host, port, user, keyId: 'k', hostKey: null }],
        remote: { kind: 'tcp' as const, host: '127.0.0.1', port: replicaPort },
      },
    ],
  };
  const hash = createHash('sha256').update(TOKEN).digest('hex');
  const access = { revision: 1, tokens: [{ hash, projects: ['main'], expiresAt: null }] };
  const keys = [{ id: 'k', privateKey: privateKeys[0] ?? '' }];
  const signal = AbortSignal.timeout(60_000);
  await client.putState({ revision: 1, services: [service], keys, acme: null, access }, signal);
  await until('the replica to be connected', async () => {
    const { services } = await client.status({ after: 0, waitMs: 0 }, signal);
    return services.every(({ replicas }) => replicas.every(({ isReady }) => isReady));
  });
}

/** Requests go past the program: its log says through which tunnel. */
async function untilPast(dir: string, port: number): Promise<void> {
  const log = join(dir, 'nginx', 'access.log');
  const asked = { port, host: '127.0.0.1', path: '/small', headers: headersOfBench(), agent: false };
  await until('requests to go past the program', async () => {
    await new Promise((resolve) => get(asked, (reply) => reply.resume().once('end', resolve)));
    return /"tunnel":"[^"]+"\}\n/.test(readFileSync(log, 'utf8'));
  });
}

function headersOfBench(): Readonly<Record<string, string>> {
  return { host: GATEWAY_HOST, authorization: `Bearer ${TOKEN}` };
}

/** Not of a former configuration, and none of nginx's that look after files. */
function isWorker(pid: number): boolean {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim() === 'nginx: worker process';
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
}
