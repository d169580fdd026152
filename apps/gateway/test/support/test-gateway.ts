import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createGatewayClient, type GatewayApi, type GatewayStateInput } from '@dstack/gateway-protocol';
import { freePort } from './free-port.js';
import type { Replica } from './replica.js';
import type { Sshd } from './sshd.js';
import { until } from './until.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
export const signal: AbortSignal = new AbortController().signal;

/** Without them there is nothing to test against. */
export const canServe = existsSync('/usr/sbin/nginx') && existsSync('/usr/sbin/sshd');

export interface TestGateway {
  readonly dir: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly client: GatewayApi;
  readonly flags: readonly string[];
  /** In the background, in place of who serves now. */
  start(...more: string[]): Promise<void>;
  pid(name: 'gateway' | 'nginx'): number;
  log(): string;
  remove(): Promise<void>;
}

export async function makeGateway(): Promise<TestGateway> {
  const dir = mkdtempSync(join(tmpdir(), 'gw-'));
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const ports = ['--http-port', String(httpPort), '--https-port', String(httpsPort)];
  const flags = ['--dir', dir, ...ports, '--listen', '127.0.0.1'];
  const run = (...args: string[]) => promisify(execFile)(process.execPath, [MAIN, ...args, ...flags]);
  return {
    dir,
    httpPort,
    httpsPort,
    flags,
    client: createGatewayClient({ connect: join(dir, 'gateway.sock') }),
    async start(...more) {
      await run('start', ...more);
    },
    pid(name) {
      const path = name === 'nginx' ? join(dir, 'nginx', 'nginx.pid') : join(dir, 'gateway.pid');
      return Number(readFileSync(path, 'utf8'));
    },
    log() {
      return ['gateway.log', 'nginx/error.log']
        .map((name) => join(dir, name))
        .filter((path) => existsSync(path))
        .map((path) => readFileSync(path, 'utf8'))
        .join('');
    },
    async remove() {
      await run('stop');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export type ServiceInput = GatewayStateInput['services'][number];

export function serviceOf(host: Sshd, replicas: readonly Replica[], more: Partial<ServiceInput> = {}): ServiceInput {
  return {
    id: more.host ?? 'web.test',
    project: 'main',
    run: 'web',
    host: 'web.test',
    https: 'none',
    auth: true,
    replicas: replicas.map(({ name, port }) => ({
      id: name,
      group: '0',
      hops: [host.hop],
      remote: { kind: 'tcp', host: '127.0.0.1', port },
    })),
    ...more,
  };
}

export const TOKEN = 'a-token-of-dstack';
export const STRANGER = 'a-token-of-another-project';

export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

export const ACCESS = {
  revision: 1,
  tokens: [
    { hash: hashOf(TOKEN), projects: ['main'], expiresAt: null },
    { hash: hashOf(STRANGER), projects: ['other'], expiresAt: null },
  ],
};

let revision = 0;

export function stateOf(
  host: Sshd,
  services: readonly ServiceInput[],
  more: Partial<GatewayStateInput> = {},
): GatewayStateInput {
  revision += 1;
  const keys = [{ id: 'k1', privateKey: host.privateKey }];
  return { revision, services, keys, acme: null, access: ACCESS, ...more };
}

/** Until its replicas can be asked. */
export async function put(gateway: TestGateway, state: GatewayStateInput): Promise<void> {
  await gateway.client.putState(state, signal);
  await until('the replicas are connected', async () => {
    const status = await gateway.client.status({ after: 0, waitMs: 0 }, signal);
    return status.services.every(({ replicas }) => replicas.every(({ isReady }) => isReady));
  });
}
