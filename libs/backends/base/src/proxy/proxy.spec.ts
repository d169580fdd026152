import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { RestClient } from '../rest/index.js';
import { environmentAgent, fetchByEnvironment, publicFetch } from './index.js';
import { proxyOf } from './proxy-of.js';

const LIST = Array.from({ length: 5_000 }, (_, row) => `${row},${row * 7919}`).join('\n');

/** A small real proxy that leads every name to the one cloud there is. */
class Proxy {
  readonly asked: string[] = [];
  readonly server = http.createServer((request, response) => {
    this.asked.push(`${request.method ?? ''} ${request.url ?? ''}`);
    const { pathname } = new URL(request.url ?? '/', 'http://any');
    if (pathname === '/moved') response.writeHead(302, { location: 'http://lists.test/packed' }).end();
    else if (pathname === '/packed') response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(LIST));
    else if (pathname === '/same') response.writeHead(304, { etag: '"1"' }).end();
    else if (pathname === '/broken')
      response.writeHead(200, { 'content-encoding': 'gzip' }).write(gzipSync(LIST).subarray(0, 900), () => response.destroy()); // prettier-ignore
    else response.end('{"by":"relay"}');
  });

  constructor(private readonly cloudPort: () => number) {
    this.server.on('connect', (request, socket) => {
      this.asked.push(`CONNECT ${request.url ?? ''}`);
      const to = connect(this.cloudPort(), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        to.pipe(socket).pipe(to);
      });
      to.on('error', () => socket.destroy());
      socket.on('error', () => to.destroy());
    });
  }
}

const portOf = (server: http.Server): number => (server.address() as AddressInfo).port;
const listen = (server: http.Server) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

describe('a server behind a proxy', () => {
  const dir = mkdtempSync(join(tmpdir(), 'proxy-'));
  const before = { ...process.env };
  let cloud: https.Server;
  let proxy: Proxy;
  let ca: Buffer;

  beforeAll(async () => {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=cloud.test',
      '-addext', 'subjectAltName=DNS:api.cloud.test,IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' }); // prettier-ignore
    ca = readFileSync(cert);
    cloud = https.createServer({ key: readFileSync(key), cert: ca }, (_request, response) =>
      response.end('{"by":"cloud"}'),
    );
    proxy = new Proxy(() => portOf(cloud));
    await Promise.all([listen(cloud), listen(proxy.server)]);
  });
  afterEach(() => {
    process.env = { ...before };
    proxy.asked.length = 0;
  });
  afterAll(() => {
    for (const server of [cloud, proxy.server]) {
      server.closeAllConnections();
      server.close();
    }
    rmSync(dir, { recursive: true });
  });

  const viaProxy = (more: NodeJS.ProcessEnv = {}): void => {
    const url = `http://127.0.0.1:${portOf(proxy.server)}`;
    Object.assign(process.env, { HTTPS_PROXY: url, HTTP_PROXY: url, ...more });
  };
  const ask = async (baseUrl: string): Promise<string> => {
    const httpsAgent = environmentAgent({ ca });
    const rest = await RestClient.open({
      baseUrl,
      headers: {},
      secrets: [],
      connection: async () => ({ headers: {}, httpsAgent }),
      explain: () => ({ failure: { kind: 'rejected', blocks: 'offer' }, message: 'no' }),
      environment: { now: Date.now, random: () => 0, sleep: async () => undefined },
    });
    const call = { signal: AbortSignal.timeout(10_000), deadline: Date.now() + 10_000 };
    const schema = z.object({ by: z.string() });
    const { by } = await rest.send({ method: 'GET', path: '/', schema }, call).finally(() => httpsAgent.destroy());
    return by;
  };

  it('speaks to a cloud through a tunnel, and checks whom it speaks to', async () => {
    viaProxy();
    expect(await ask('https://api.cloud.test')).toBe('cloud');
    expect(proxy.asked).toEqual(['CONNECT api.cloud.test:443']);
    await expect(ask('https://else.test')).rejects.toThrow(/altnames/);
  });

  it('goes directly where NO_PROXY says so, and to itself', async () => {
    viaProxy({ NO_PROXY: '.cloud.test' });
    await expect(ask('https://api.cloud.test')).rejects.toThrow(/no answer/);
    expect(await ask(`https://127.0.0.1:${portOf(cloud)}`)).toBe('cloud');
    expect(proxy.asked).toEqual([]);
  });

  it('fetches through it too, and follows no redirect', async () => {
    viaProxy();
    const signal = AbortSignal.timeout(10_000);
    const reply = await fetchByEnvironment(new URL('http://api.cloud.test/v1'), { method: 'POST', body: '{}', signal });
    expect([reply.status, await reply.json()]).toEqual([200, { by: 'relay' }]);
    expect(proxy.asked).toEqual(['POST http://api.cloud.test/v1']);
  });

  it('reads public lists through it, packed, moved, unchanged or breaking off', async () => {
    viaProxy();
    const moved = await publicFetch('http://lists.test/moved', { headers: { 'x-goog-api-key': 'secret' } });
    expect([moved.status, await moved.text()]).toEqual([200, LIST]);
    const same = await publicFetch('http://lists.test/same');
    expect([same.status, same.headers.get('etag')]).toEqual([304, '"1"']);
    await expect(publicFetch('http://lists.test/broken').then((reply) => reply.text())).rejects.toThrow();
    await expect(publicFetch('https://api.cloud.test/list')).rejects.toThrow(/self-signed/);
    expect(proxy.asked).toEqual([
      'GET http://lists.test/moved',
      'GET http://lists.test/packed',
      'GET http://lists.test/same',
      'GET http://lists.test/broken',
      'CONNECT api.cloud.test:443',
    ]);
  });

  it.each([
    ['https://api.cloud.test/', { HTTPS_PROXY: 'http://p:1' }, 'http://p:1'],
    ['https://api.cloud.test/', { https_proxy: 'http://p:1' }, 'http://p:1'],
    ['https://api.cloud.test/', { HTTP_PROXY: 'http://p:1' }, null],
    ['https://api.cloud.test/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'other.test,.cloud.test' }, null],
    ['https://api.cloud.test/', { HTTPS_PROXY: 'http://p:1', NO_PROXY: '*' }, null],
    ['http://169.254.169.254/latest', { HTTP_PROXY: 'http://p:1' }, null],
    ['http://metadata.google.internal/x', { ALL_PROXY: 'http://p:1' }, null],
    ['https://[::1]:6443/', { HTTPS_PROXY: 'http://p:1' }, null],
  ])('%s with %o goes by %s', (url, env, expected) => {
    Object.assign(process.env, env);
    expect(proxyOf(new URL(url))).toBe(expected);
  });
});
