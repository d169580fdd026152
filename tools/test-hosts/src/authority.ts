import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './free-port.js';

const places = [...(process.env['PATH'] ?? '').split(delimiter), join(homedir(), 'go', 'bin'), '/usr/local/go/bin'];
const find = (name: string): string | undefined => places.map((place) => join(place, name)).find(existsSync);
const pebble = find('pebble');
const dns = find('pebble-challtestsrv');

/** `go install github.com/letsencrypt/pebble/v2/cmd/...@latest` brings them. */
export const hasAuthority = pebble !== undefined && dns !== undefined;

export interface Eab {
  readonly keyId: string;
  readonly hmacKey: string;
}

export interface AuthorityOptions {
  /** Where it listens, and where those who ask it reach it. */
  readonly address?: string;
  /** Where names are asked for the answers of challenges. */
  readonly httpPort: number;
  /** Without it nobody gets an account. */
  readonly eab?: Eab;
}

export interface Authority {
  /** Of the ACME directory. */
  readonly directoryUrl: string;
  /** Who answers for the directory's own TLS: as text (PEM) and in a file. */
  readonly caCertificate: string;
  readonly caFile: string;
  /** `127.0.0.1:5353`: answers every name with 127.0.0.1, or with what `leadNamesTo` said last. */
  readonly dns: string;
  leadNamesTo(address: string): void;
  /** PEM: who issues. */
  root(): string;
  stop(): Promise<void>;
}

/** Pebble, the ACME server that Let's Encrypt tests clients with. */
export async function startAuthority({ address = '127.0.0.1', httpPort, eab }: AuthorityOptions): Promise<Authority> {
  if (pebble === undefined || dns === undefined) throw new Error('pebble is not installed');
  const directory = mkdtempSync(join(tmpdir(), 'dstack-pebble-'));
  const [port, management, dnsPort, dnsManagement] = [
    await freePort(address),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  makeCertificate(directory, address);
  writeFileSync(
    join(directory, 'config.json'),
    JSON.stringify({
      pebble: {
        listenAddress: `${address}:${port}`,
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
  const caFile = join(directory, 'ca.crt');
  const curl = (...args: string[]): string => execFileSync('curl', ['-sS', ...args], { encoding: 'utf8' });
  await untilListening(address, port);
  for (const each of [management, dnsPort, dnsManagement]) await untilListening('127.0.0.1', each);
  return {
    directoryUrl: `https://${address}:${port}/dir`,
    caCertificate: readFileSync(caFile, 'utf8'),
    caFile,
    dns: `127.0.0.1:${dnsPort}`,
    leadNamesTo(to) {
      curl('-f', '-d', JSON.stringify({ ip: to }), `http://127.0.0.1:${dnsManagement}/set-default-ipv4`);
    },
    root: () => curl('--cacert', caFile, `https://127.0.0.1:${management}/roots/0`),
    async stop() {
      for (const child of children) {
        const ended = new Promise((resolve) => child.once('exit', resolve));
        if (child.exitCode === null && child.kill('SIGKILL')) await ended;
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function makeCertificate(directory: string, address: string): void {
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
  writeFileSync(join(directory, 'names'), `subjectAltName=IP:127.0.0.1,IP:${address}\n`);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'names'];
  openssl('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt');
}

async function untilListening(host: string, port: number): Promise<void> {
  for (const deadline = performance.now() + 30_000; !(await listens(host, port)); await sleep(20))
    if (performance.now() > deadline) throw new Error(`nothing listens at ${host}:${port}`);
}

function listens(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    socket.once('error', () => resolve(false));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
