import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { AcmeSettings } from '@dstack/gateway-protocol';
import { freePort } from './free-port.js';
import { until } from './until.js';

const places = [...(process.env['PATH'] ?? '').split(delimiter), join(homedir(), 'go', 'bin'), '/usr/local/go/bin'];
const find = (name: string): string | undefined => places.map((place) => join(place, name)).find(existsSync);
const pebble = find('pebble');
const dns = find('pebble-challtestsrv');

/** `go install github.com/letsencrypt/pebble/v2/cmd/...@latest` brings them. */
export const hasAuthority = pebble !== undefined && dns !== undefined;

export interface Authority {
  readonly settings: AcmeSettings;
  /** `127.0.0.1:5353`: answers every name with 127.0.0.1. */
  readonly dns: string;
  /** PEM: who issues. */
  root(): Promise<string>;
  stop(): Promise<void>;
}

/** Pebble, the ACME server that Let's Encrypt tests clients with. @param httpPort where names are asked for the answers of challenges */
export async function startAuthority(httpPort: number, eab?: { keyId: string; hmacKey: string }): Promise<Authority> {
  if (pebble === undefined || dns === undefined) throw new Error('pebble is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'gw-pebble-'));
  const [port, management, dnsPort, dnsManagement] = await Promise.all(Array.from({ length: 4 }, freePort));
  makeCertificate(directory);
  writeFileSync(
    join(directory, 'config.json'),
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: join(directory, 'server.crt'),
        privateKey: join(directory, 'server.key'),
        httpPort,
        tlsPort: httpPort,
        externalAccountBindingRequired: eab !== undefined,
        ...(eab === undefined ? {} : { externalAccountMACKeys: { [eab.keyId]: eab.hmacKey } }),
      },
    }),
  );
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' };
  const none = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', ''];
  const children: ChildProcess[] = [
    spawn(dns, ['-defaultIPv6', '', '-dnsserver', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${dnsManagement}`, ...none], { stdio: 'ignore' }), // prettier-ignore
    spawn(pebble, ['-config', join(directory, 'config.json'), '-dnsserver', `127.0.0.1:${dnsPort}`], {
      stdio: 'ignore',
      env,
    }),
  ];
  const ca = readFileSync(join(directory, 'ca.crt'), 'utf8');
  await until('pebble listens', () => listens(Number(port)));
  await until('its management listens', () => listens(Number(management)));
  await until('the DNS server listens', () => listens(Number(dnsPort)));
  return {
    settings: {
      directoryUrl: `https://127.0.0.1:${port}/dir`,
      email: 'ops@example.com',
      eab: eab ?? null,
      caCertificate: ca,
      issues: true,
      shared: false,
    },
    dns: `127.0.0.1:${dnsPort}`,
    async root() {
      const args = ['-sS', '--cacert', join(directory, 'ca.crt'), `https://127.0.0.1:${management}/roots/0`];
      return execFileSync('curl', args, { encoding: 'utf8' });
    },
    async stop() {
      for (const child of children) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        if (child.exitCode === null && child.kill('SIGKILL')) await ended;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function makeCertificate(directory: string): void {
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...key,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=authority of a test',
  );
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=127.0.0.1');
  writeFileSync(join(directory, 'names'), 'subjectAltName=IP:127.0.0.1\n');
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt');
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
