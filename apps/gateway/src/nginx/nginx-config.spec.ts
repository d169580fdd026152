import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type GatewayService, type GatewayStateInput, parseGatewayState } from '@dstack/gateway-protocol';
import { nginxConfig } from './nginx-config.js';
import { canCloseIdle, canRejectHandshake } from './features.js';
import type { NginxInput } from './nginx-input.js';
import { strangerCertificate } from './stranger-certificate.js';

const hasNginx = existsSync('/usr/sbin/nginx');

function service(more: Partial<GatewayStateInput['services'][number]> = {}): GatewayService {
  const plain = { id: 's1', project: 'main', run: 'llm', host: 'llm.test', https: 'none', auth: true, replicas: [] };
  const state = { revision: 1, access: { revision: 1, tokens: [] }, keys: [], acme: null };
  const [parsed] = parseGatewayState({ ...state, services: [{ ...plain, ...more }] }).services;
  if (parsed === undefined) throw new Error('no service');
  return parsed;
}

function input(services: readonly GatewayService[], more: Partial<NginxInput> = {}): NginxInput {
  return {
    directory: '/d/nginx',
    appSocketPath: '/d/run/app.sock',
    user: null,
    openFiles: 512,
    addresses: ['127.0.0.1'],
    httpPort: 80,
    httpsPort: 443,
    strangerCertificatePath: null,
    keptAnswers: null,
    closesIdle: true,
    services: services.map((each) => ({
      service: each,
      socketPath: `/d/run/${each.id}.sock`,
      tunnels: [],
      certificatePath: null,
    })),
    modelHosts: [],
    trustedProxies: [],
    ...more,
  };
}

/** The block of the server with this name at this port. */
function serverOf(text: string, host: string, port: number): string | undefined {
  return text
    .split(/^ {2}server \{$/m)
    .find((block) => block.includes(`server_name ${host};`) && block.includes(`:${port}`));
}

it('gives the same text for the same input, and names it', () => {
  const [first, second] = [nginxConfig(input([service()])), nginxConfig(input([service()]))];
  expect(first).toEqual(second);
  expect(first.text).toContain(`return 200 ${first.hash};`);
  expect(nginxConfig(input([service({ auth: false })])).hash).not.toBe(first.hash);
});

it('a name that needs a certificate is served once it is there, and what comes in plain is moved', () => {
  const wanting = service({ https: 'certificate' });
  const before = nginxConfig(input([wanting])).text;
  expect(serverOf(before, 'llm.test', 443)).toBeUndefined();
  expect(serverOf(before, 'llm.test', 80)).toContain('return 301 https://$host$request_uri;');
  const served = [{ service: wanting, socketPath: '/d/s.sock', tunnels: [], certificatePath: '/d/c.pem' }];
  const block = serverOf(nginxConfig(input([], { services: served })).text, 'llm.test', 443);
  expect(block).toContain('ssl_certificate "/d/c.pem";');
  expect(block).toContain('proxy_set_header X-Forwarded-Proto https;');
});

it.each([
  [443, ''],
  [8443, ':8443'],
])('with https at port %i the replica hears the name with «%s»', (httpsPort, port) => {
  const served = [
    { service: service({ https: 'certificate' }), socketPath: '/d/s.sock', tunnels: [], certificatePath: '/d/c.pem' },
  ];
  const { text } = nginxConfig(input([], { services: served, httpsPort }));
  expect(text).toContain(`return 301 https://$host${port}$request_uri;`);
  expect(text).toContain(`proxy_set_header Host $host${port};`);
});

it('behind a balancer it is plain here and https for the replica', () => {
  const { text } = nginxConfig(input([service({ https: 'balancer' })], { trustedProxies: ['10.0.0.0/8'] }));
  expect(serverOf(text, 'llm.test', 80)).toContain('proxy_set_header X-Forwarded-Proto https;');
  expect(text).toContain('set_real_ip_from 10.0.0.0/8;');
});

it('the dstack token is asked about and removed, for open services as well', () => {
  for (const auth of [true, false]) {
    const block = serverOf(nginxConfig(input([service({ auth })])).text, 'llm.test', 80) ?? '';
    expect(block).toContain('auth_request /.dstack/access;');
    expect(block).toContain('proxy_set_header Authorization $dstack_authorization;');
    // Nobody is asked about a request without a credential to an open service.
    expect(block.includes('if ($http_authorization = "")')).toBe(!auth);
  }
});

it('the question of access is answered by the gateway alone, whatever it answers', () => {
  const block = serverOf(nginxConfig(input([service()])).text, 'llm.test', 80) ?? '';
  const questions = block.split(/^ {4}location /m).filter((location) => location.startsWith('= /.dstack/'));
  expect(questions).toHaveLength(2);
  // With a page for its refusal it would be sent on to a replica, and what that says would count.
  for (const question of questions) expect(question).not.toContain('error_page');
  expect(block.split(/^ {4}location /m)[0]).not.toContain('error_page');
});

it('routers are asked at their paths only, and nowhere else by another spelling', () => {
  const onlyPaths = [
    { path: '/generate', match: 'exact' as const },
    { path: '/v1/', match: 'prefix' as const },
  ];
  const block = serverOf(nginxConfig(input([service({ onlyPaths })])).text, 'llm.test', 80) ?? '';
  expect(block).toContain('location = "/generate" {');
  expect(block).toContain('location "/v1/" {');
  expect(block).toMatch(/location \/ \{\s+error_page 403 = @refused;\s+return 403;/);
  expect(block).toContain('return 400;');
});

it('answers of who may ask are kept where the program says so, for members only', () => {
  const { text } = nginxConfig(input([service(), service({ id: 's2', host: 'open.test', auth: false })], { keptAnswers: '/run/k' })); // prettier-ignore
  expect(text).toContain('proxy_cache_path "/run/k/access" keys_zone=dstack_access:1m');
  expect(serverOf(text, 'llm.test', 80)).toContain('proxy_cache_key "s1 $http_authorization";');
  // What they show may be a secret of the service's own.
  expect(serverOf(text, 'open.test', 80)).not.toContain('proxy_cache');
  expect(text).not.toContain('proxy_cache_valid');
  expect(nginxConfig(input([service()])).text).not.toContain('proxy_cache');
});

const tunnelled = { service: service(), socketPath: '/d/run/s/s1.sock', tunnels: ['/d/run/t/a.s', '/d/run/t/b.s'], certificatePath: null }; // prettier-ignore

it('through tunnels go all but WebSockets, and the program gets what they do not take', () => {
  const { text } = nginxConfig(input([], { services: [tunnelled] }));
  const [, name = ''] = /upstream (s[0-9a-f]+) \{/.exec(text) ?? [];
  const [, lane = ''] = /upstream \w+_lane \{([^}]*)\}/.exec(text) ?? [];
  expect(lane.match(/server .*/g)).toEqual([
    'server "unix:/d/run/t/a.s" max_fails=1 fail_timeout=1s;',
    'server "unix:/d/run/t/b.s" max_fails=1 fail_timeout=1s;',
    ...Array.from({ length: 3 }, () => 'server "unix:/d/run/s/s1.sock" max_fails=0 backup;'),
  ]);
  expect(text).toContain(`map $dstack_upgrade $to_${name} {\n    default ${name}_lane;\n    websocket ${name};`);
  expect(text.match(/proxy_pass http:\/\/\$to_\w+;/g)).toHaveLength(2);
  // Each tunnel may be dead, and then the program is tried.
  expect(text).toContain('proxy_next_upstream_tries 5;');
});

it.each([
  ['there are none', { services: [{ ...tunnelled, tunnels: [] }] }],
  ['nginx would keep connections for too long', { services: [tunnelled], closesIdle: false }],
])('all go through the program where %s', (_what, more) => {
  const { text } = nginxConfig(input([], more));
  expect(text).not.toMatch(/_lane|\/d\/run\/t\//);
  expect(text).toMatch(/proxy_pass http:\/\/s[0-9a-f]+;/);
});

const everything = [
  service({
    id: 's2',
    host: 'all.test',
    cors: true,
    maxBodyBytes: 0,
    rateLimits: [
      { prefix: '/', key: { kind: 'ip' }, requestsPerSecond: 1 / 60, burst: 0 },
      { prefix: '/a"b$c', key: { kind: 'header', header: 'X-Api-Key' }, requestsPerSecond: 10, burst: 9 },
    ],
  }),
  service({ onlyPaths: [{ path: '/v1/', match: 'prefix' }] }),
];

(hasNginx ? it : it.skip)('nginx that cannot refuse handshakes takes a certificate for strangers', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gw-nginx-'));
  try {
    mkdirSync(join(directory, 'temporary'));
    const strangerCertificatePath = await strangerCertificate(directory);
    const { text } = nginxConfig({ ...input([]), directory, strangerCertificatePath, httpPort: 18_080, httpsPort: 18_443 }); // prettier-ignore
    writeFileSync(join(directory, 'nginx.conf'), text);
    execFileSync('/usr/sbin/nginx', ['-t', '-q', '-c', join(directory, 'nginx.conf')], { stdio: 'pipe' });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

it.each([
  ['1.18.0', false],
  ['1.19.3', false],
  ['1.19.4', true],
  ['1.22.1', true],
  ['2.0.0', true],
])('%s refuses handshakes: %s', (version, can) => expect(canRejectHandshake(version)).toBe(can));

it.each([
  ['1.14.2', false],
  ['1.15.2', false],
  ['1.15.3', true],
  ['1.28.0', true],
  ['2.0.0', true],
])('%s closes connections that nobody uses: %s', (version, can) => expect(canCloseIdle(version)).toBe(can));

(hasNginx ? it.each : it.skip.each)([
  ['nothing', input([])],
  ['plain services with everything', input(everything)],
  ['tunnels', input([], { services: [tunnelled] })],
  ['names that wait for certificates', input([service({ https: 'certificate' })])],
  [
    'models and proxies in front',
    input([], {
      trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
      modelHosts: [{ modelHost: { host: 'gateway.test', https: 'none', project: 'ma"in' }, certificatePath: null }],
    }),
  ],
])('nginx takes %s', (_what, wanted) => {
  const directory = mkdtempSync(join(tmpdir(), 'gw-nginx-'));
  try {
    mkdirSync(join(directory, 'temporary'));
    const { text } = nginxConfig({ ...wanted, directory, keptAnswers: directory, httpPort: 18_080, httpsPort: 18_443 });
    writeFileSync(join(directory, 'nginx.conf'), text);
    execFileSync('/usr/sbin/nginx', ['-t', '-q', '-c', join(directory, 'nginx.conf')], { stdio: 'pipe' });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
