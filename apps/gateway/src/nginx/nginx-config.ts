import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { CLIENT_HEADER, PROJECT_HEADER, ROUTE_HEADER, SCHEME_HEADER } from './app-routes.js';
import { type Directive, printDirectives, quoted } from './directive.js';
import { keptAnswersDirectory } from './kept-answers.js';
import type { NginxInput, ServedModelHost } from './nginx-input.js';
import { KEPT_ANSWERS, serviceLines, serviceZones } from './service-server.js';

export interface NginxConfig {
  readonly text: string;
  /** What nginx says at its status socket once it runs with this text. */
  readonly hash: string;
}

const HASH_PLACE = '0'.repeat(64);

/** All of nginx's configuration. The same input gives the same text. */
export function nginxConfig(input: NginxInput): NginxConfig {
  const text = printDirectives(mainLines(input));
  const hash = createHash('sha256').update(text).digest('hex');
  return { text: `# Written by dstack-gateway; changes are lost.\n${text.replace(HASH_PLACE, hash)}`, hash };
}

/** While this file exists, answers say that their connection ends with them. */
export function closingPath(directory: string): string {
  return join(directory, 'closing');
}

export function statusSocketPath(directory: string): string {
  return join(directory, 'status.sock');
}

function mainLines(input: NginxInput): Directive[] {
  const { directory, openFiles, user } = input;
  return [
    ...(user === null ? [] : [`user ${user}`]),
    `worker_rlimit_nofile ${openFiles}`,
    'worker_processes auto',
    // Streams outlive changes of the configuration.
    'worker_shutdown_timeout 3600s',
    `pid ${quoted(join(directory, 'nginx.pid'))}`,
    `error_log ${quoted(join(directory, 'error.log'))} warn`,
    { block: 'events', lines: [`worker_connections ${Math.floor(openFiles / 2)}`] },
    { block: 'http', lines: httpLines(input) },
  ];
}

function httpLines(input: NginxInput): Directive[] {
  const { directory, services, modelHosts, appSocketPath } = input;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return [
    'default_type application/octet-stream',
    'server_tokens off',
    'log_format dstack escape=json \'{"time":"$time_iso8601","host":"$host","client":"$remote_addr","method":"$request_method",' +
      '"path":"$uri","status":$status,"bytes":$body_bytes_sent,"seconds":$request_time,"tunnel":"$dstack_tunnel"}\'',
    `access_log ${quoted(join(directory, 'access.log'))} dstack`,
    ...temporary.map((name) => `${name}_temp_path ${quoted(join(directory, 'temporary', name))}`),
    'server_names_hash_bucket_size 512',
    'server_names_hash_max_size 8192',
    'variables_hash_max_size 4096',
    'map_hash_bucket_size 256',
    // Whoever is slow to ask or to listen is not waited for.
    'client_header_timeout 15s',
    'client_body_timeout 60s',
    'send_timeout 60s',
    'keepalive_timeout 75s',
    'reset_timedout_connection on',
    'large_client_header_buffers 4 16k',
    'tcp_nodelay on',
    'ssl_protocols TLSv1.2 TLSv1.3',
    'ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:' +
      'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305',
    'ssl_prefer_server_ciphers off',
    'ssl_session_cache shared:dstack:10m',
    'ssl_session_timeout 1d',
    'ssl_session_tickets off',
    'limit_req_status 429',
    'proxy_http_version 1.1',
    // Bytes go on as they come, both ways: answers that are streams, and bodies of any length.
    'proxy_buffering off',
    'proxy_request_buffering off',
    'proxy_buffer_size 32k',
    'proxy_buffers 8 32k',
    // A replica answers; where requests go is not its business.
    'proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset',
    'proxy_connect_timeout 5s',
    'proxy_next_upstream error',
    ...keptAnswersLines(input),
    ...input.trustedProxies.map((address) => `set_real_ip_from ${address}`),
    ...(input.trustedProxies.length > 0 ? ['real_ip_header X-Forwarded-For', 'real_ip_recursive on'] : []),
    { block: 'map $http_upgrade $dstack_upgrade', lines: ['default ""', '~*^websocket$ websocket'] },
    { block: 'map $dstack_upgrade $dstack_connection', lines: ['default ""', 'websocket upgrade'] },
    { block: 'map $dstack_verified $dstack_authorization', lines: ['default $http_authorization', '1 ""'] },
    { block: 'map $upstream_addr $dstack_tunnel', lines: ['default ""', '"~/t/([0-9a-z-]+)[.]s$" $1'] },
    'uninitialized_variable_warn off',
    {
      block: 'map $request_method:$http_access_control_request_method $dstack_preflight',
      lines: ['default ""', '~^OPTIONS:. 1'],
    },
    { block: 'upstream dstack_app', lines: [`server ${quoted(`unix:${appSocketPath}`)} max_fails=0`, 'keepalive 32'] },
    STATUS_SERVER(directory),
    strangersServer(input),
    ...secureStrangersServer(input),
    ...movedServer(input),
    ...services.flatMap((served) => serviceZones(served, input.closesIdle)),
    ...services.flatMap((served) => {
      const { host, https } = served.service;
      return hostServer(input, { host, https, certificatePath: served.certificatePath }, (port) =>
        serviceLines(served, port, {
          closingPath: closingPath(input.directory),
          keepsAnswers: input.keptAnswers !== null,
          closesIdle: input.closesIdle,
        }),
      );
    }),
    ...modelHosts.flatMap((served) => {
      const { modelHost, certificatePath } = served;
      return hostServer(input, { ...modelHost, certificatePath }, () => modelLines(served));
    }),
  ];
}

function keptAnswersLines({ keptAnswers: place }: NginxInput): string[] {
  if (place === null) return [];
  const path = quoted(keptAnswersDirectory(place));
  return [`proxy_cache_path ${path} keys_zone=${KEPT_ANSWERS}:1m inactive=5s max_size=8m use_temp_path=off`];
}

/** Says which configuration is in force. */
const STATUS_SERVER = (directory: string): Directive => ({
  block: 'server',
  lines: [
    `listen ${quoted(`unix:${statusSocketPath(directory)}`)}`,
    'access_log off',
    { block: 'location /', lines: [`return 200 ${HASH_PLACE}`] },
  ],
});

function strangersServer(input: NginxInput): Directive {
  return {
    block: 'server',
    lines: [
      ...input.addresses.map((address) => `listen ${address}:${input.httpPort} default_server${onlyV6(address)}`),
      'server_name ""',
      // Known to nginx also while there are no services.
      'set $dstack_verified ""',
      CHALLENGES,
      {
        block: 'location /',
        lines: ['default_type application/json', `return 404 '{"detail":"There is no such service"}'`],
      },
    ],
  };
}

function secureStrangersServer(input: NginxInput): Directive[] {
  const { strangerCertificatePath: certificate } = input;
  return [
    {
      block: 'server',
      lines: [
        ...input.addresses.map(
          (address) => `listen ${address}:${input.httpsPort} ssl http2 default_server${onlyV6(address)}`,
        ),
        'server_name ""',
        ...(certificate === null ? ['ssl_reject_handshake on'] : certificateLines(certificate)),
        'return 421',
      ],
    },
  ];
}

/** Names with certificates of their own: what comes in plain is sent to https, but for the authority's questions. */
function movedServer(input: NginxInput): Directive[] {
  const hosts = [
    ...input.services.map(({ service }) => service),
    ...input.modelHosts.map(({ modelHost }) => modelHost),
  ].filter(({ https }) => https === 'certificate');
  if (hosts.length === 0) return [];
  const port = input.httpsPort === 443 ? '' : `:${input.httpsPort}`;
  return [
    {
      block: 'server',
      lines: [
        ...input.addresses.map((address) => `listen ${address}:${input.httpPort}`),
        ...hosts.map(({ host }) => `server_name ${host}`),
        CHALLENGES,
        { block: 'location /', lines: [`return 301 https://$host${port}$request_uri`] },
      ],
    },
  ];
}

interface Named {
  readonly host: string;
  readonly https: 'certificate' | 'balancer' | 'none';
  readonly certificatePath: string | null;
}

/** Without its certificate a name is not served yet. */
function hostServer(input: NginxInput, named: Named, lines: (port: string) => Directive[]): Directive[] {
  const { host, https, certificatePath } = named;
  if (https !== 'certificate') {
    const listens = input.addresses.map((address) => `listen ${address}:${input.httpPort}`);
    const port = https === 'balancer' || input.httpPort === 80 ? '' : `:${input.httpPort}`;
    return [{ block: 'server', lines: [...listens, `server_name ${host}`, CHALLENGES, ...lines(port)] }];
  }
  if (certificatePath === null) return [];
  const listens = input.addresses.map((address) => `listen ${address}:${input.httpsPort} ssl http2`);
  const port = input.httpsPort === 443 ? '' : `:${input.httpsPort}`;
  return [
    {
      block: 'server',
      lines: [...listens, `server_name ${host}`, ...certificateLines(certificatePath), ...lines(port)],
    },
  ];
}

function certificateLines(path: string): string[] {
  return [`ssl_certificate ${quoted(path)}`, `ssl_certificate_key ${quoted(path)}`];
}

function appLines(route: 'challenge' | 'models'): string[] {
  return [
    'proxy_pass http://dstack_app',
    'proxy_set_header Host $host',
    'proxy_set_header Connection ""',
    `proxy_set_header ${ROUTE_HEADER} ${route}`,
    `proxy_set_header ${CLIENT_HEADER} $remote_addr`,
  ];
}

const CHALLENGES: Directive = {
  block: 'location ^~ /.well-known/acme-challenge/',
  lines: ['proxy_pass_request_body off', 'proxy_set_header Content-Length ""', ...appLines('challenge')],
};

function modelLines({ modelHost: { project, https } }: ServedModelHost): Directive[] {
  return [
    {
      block: 'location /',
      lines: [
        'client_max_body_size 64m',
        'proxy_read_timeout 300s',
        ...appLines('models'),
        `proxy_set_header ${PROJECT_HEADER} ${quoted(encodeURIComponent(project))}`,
        `proxy_set_header ${SCHEME_HEADER} ${https === 'none' ? '$scheme' : 'https'}`,
      ],
    },
  ];
}

function onlyV6(address: string): string {
  return address.startsWith('[') ? ' ipv6only=on' : '';
}
