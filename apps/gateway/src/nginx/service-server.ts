import { createHash } from 'node:crypto';
import type { GatewayRateLimit, GatewayService } from '@dstack/gateway-protocol';
import { TOO_LATE, UNREACHABLE } from '../services/plain-answer.js';
import { headerVariable, REFUSED_HEADER, ROUTE_HEADER, SERVICE_HEADER, VERIFIED_HEADER } from './app-routes.js';
import { type Directive, quoted } from './directive.js';
import type { ServedService } from './nginx-input.js';
import { limitedPaths, requestsPerMinute } from './rate-limits.js';
import { serviceName } from './service-name.js';

/** Further tries are for requests that nobody has seen, or that change nothing; this program takes another replica for each. */
const TRIES = 3;
/** To this program, of each worker. It never closes one that may be used: nobody could tell whether a request on it was seen. */
const KEPT_CONNECTIONS = 64;
/** A program that was relieved ends so long after its last request. */
const KEPT_SECONDS = 10;
/** A tunnel that took a connection and did not keep it is passed over for so long; the program tries it by other means meanwhile. */
const TUNNEL_PAUSE = '1s';
/** Through tunnels: servers close connections that nobody uses after two seconds or later. */
const IDLE_TUNNEL_MS = 1_500;
const TUNNEL_REQUESTS = 10_000;
/** Of one request. What breaks replicas off shall not meet all of them. */
const MOST_TUNNELS_TRIED = 5;
const ACCESS = '/.dstack/access';
/** The same, for requests that were sent on to `@closing`. */
const ACCESS_AGAIN = '/.dstack/access-again';
/** Nobody's path has these: nginx resolves them, a replica may do it in another way and find what is not open. */
const TWO_MEANINGS = '^[^?]*(?:/|%2[fF]|\\\\|%5[cC])(?:\\.|%2[eE]){1,2}(?:[/;?\\\\]|%2[fF]|%5[cC]|%3[bB]|$)';

/** The zone of nginx's own answers of who may ask. */
export const KEPT_ANSWERS = 'dstack_access';

/** Of the gateway, whatever the service. */
export interface ServerPlace {
  readonly closingPath: string;
  /** nginx keeps for seconds who may ask. */
  readonly keepsAnswers: boolean;
  /** It can be told how long to keep connections that nobody uses. */
  readonly closesIdle: boolean;
}

/** What stands outside of the service's server: where its requests go, and how they are counted. */
export function serviceZones(served: ServedService, closesIdle: boolean): Directive[] {
  const { service, socketPath } = served;
  const name = serviceName(service.id);
  const server = `server ${quoted(`unix:${socketPath}`)} max_fails=0`;
  return [
    {
      block: `upstream ${name}`,
      lines: [
        ...Array.from({ length: TRIES }, () => server),
        `keepalive ${KEPT_CONNECTIONS}`,
        ...(closesIdle ? [`keepalive_timeout ${KEPT_SECONDS}s`] : []),
      ],
    },
    ...laneZone(served, closesIdle),
    ...service.rateLimits.flatMap((limit, index) => rateLimitZone(zoneName(name, index, limit), limit)),
  ];
}

/** nginx before 1.15.3 would send requests over connections that the replica is about to close. */
function tunnelsOf({ tunnels }: ServedService, closesIdle: boolean): readonly string[] {
  return closesIdle ? tunnels : [];
}

/** Past this program, which gets what no tunnel takes. Where WebSockets are counted is when they open: that is the program's. */
function laneZone(served: ServedService, closesIdle: boolean): Directive[] {
  const tunnels = tunnelsOf(served, closesIdle);
  if (tunnels.length === 0) return [];
  const name = serviceName(served.service.id);
  const backup = `server ${quoted(`unix:${served.socketPath}`)} max_fails=0 backup`;
  return [
    {
      block: `upstream ${laneName(name)}`,
      lines: [
        `zone ${laneName(name)} ${64 + 4 * tunnels.length}k`,
        'least_conn',
        ...tunnels.map((path) => `server ${quoted(`unix:${path}`)} max_fails=1 fail_timeout=${TUNNEL_PAUSE}`),
        ...Array.from({ length: TRIES }, () => backup),
        `keepalive ${KEPT_CONNECTIONS}`,
        `keepalive_timeout ${IDLE_TUNNEL_MS}ms`,
        `keepalive_requests ${TUNNEL_REQUESTS}`,
      ],
    },
    { block: `map $dstack_upgrade $to_${name}`, lines: [`default ${laneName(name)}`, `websocket ${name}`] },
  ];
}

function laneName(service: string): string {
  return `${service}_lane`;
}

/** A zone that counts by something else has another name: nginx refuses, when it is reloaded, to count on by another key. */
function zoneName(service: string, index: number, { key }: GatewayRateLimit): string {
  const by = createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 8);
  return `${service}_${index}_${by}`;
}

function rateLimitZone(zone: string, { key, requestsPerSecond }: GatewayRateLimit): Directive[] {
  const rate = `zone=${zone}:10m rate=${requestsPerMinute(requestsPerSecond)}r/m`;
  if (key.kind === 'ip') return [`limit_req_zone $binary_remote_addr ${rate}`];
  const value = headerVariable('http', key.header);
  // nginx does not count requests without a key at all.
  return [
    { block: `map ${value} $key_${zone}`, lines: [`"" $binary_remote_addr`, `default ${value}`] },
    `limit_req_zone $key_${zone} ${rate}`,
  ];
}

/** What a service's server does, whatever it listens at. `port`: what clients have to write after the name, with its colon. */
export function serviceLines(
  served: ServedService,
  port: string,
  { closingPath, keepsAnswers, closesIdle }: ServerPlace,
): Directive[] {
  const { service } = served;
  const name = serviceName(service.id);
  const tunnels = tunnelsOf(served, closesIdle).length;
  const to = tunnels > 0 ? `$to_${name}` : name;
  const { answerSeconds, hold, maxBodyBytes } = service;
  const paths = limitedPaths(service.rateLimits, service.onlyPaths);
  const isOpen = paths.some(({ path, match }) => path === '/' && match === 'prefix');
  const hasPathRules = paths.some(({ path }) => path !== '/');
  return [
    `client_max_body_size ${maxBodyBytes}`,
    // It may have waited for a replica before.
    `proxy_read_timeout ${answerSeconds + Math.ceil(hold.seconds)}s`,
    `proxy_send_timeout ${answerSeconds}s`,
    `proxy_next_upstream_tries ${TRIES + Math.min(tunnels, MOST_TUNNELS_TRIED)}`,
    ...forwardedHeaders(service.https === 'none' ? '$scheme' : 'https', port),
    ...(service.cors ? CORS_ANSWER : []),
    ...(hasPathRules ? [{ block: `if ($request_uri ~ "${TWO_MEANINGS}")`, lines: ['return 400'] }] : []),
    {
      block: `location = ${ACCESS}`,
      lines: [
        'internal',
        { block: `if (-f ${quoted(closingPath)})`, lines: ['return 401'] },
        ...accessLines(service, keepsAnswers),
      ],
    },
    { block: `location = ${ACCESS_AGAIN}`, lines: ['internal', ...accessLines(service, keepsAnswers)] },
    REFUSED,
    ...FAILED,
    // A worker that is about to end closes connections without a word; to say so before costs clients nothing.
    {
      block: 'location @closing',
      lines: ['keepalive_timeout 0', REFUSALS, ...FAILURES, ...passLines(to, ACCESS_AGAIN)],
    },
    ...paths.map(({ path, match, limit }) => ({
      block: `location ${match === 'exact' ? '= ' : ''}${quoted(path)}`,
      lines: [
        ...(service.cors ? [PREFLIGHT] : []),
        ...limitLines(name, limit, service.rateLimits),
        // Never for the whole server: the question of access would get them too, and an answer of the replica would be taken for a yes.
        'recursive_error_pages on',
        'error_page 401 = @closing',
        REFUSALS,
        ...FAILURES,
        ...passLines(to, ACCESS),
      ],
    })),
    ...(isOpen ? [] : [{ block: 'location /', lines: [REFUSALS, 'return 403'] }]),
  ];
}

/** To a replica, if whoever asks may. */
function passLines(upstream: string, access: string): string[] {
  return [
    `auth_request ${access}`,
    `auth_request_set $dstack_verified ${headerVariable('upstream_http', VERIFIED_HEADER)}`,
    `auth_request_set $dstack_refused ${headerVariable('upstream_http', REFUSED_HEADER)}`,
    `proxy_pass http://${upstream}`,
  ];
}

function limitLines(service: string, index: number | null, limits: readonly GatewayRateLimit[]): string[] {
  const limit = index === null ? undefined : limits[index];
  if (index === null || limit === undefined) return [];
  const { burst } = limit;
  return [`limit_req zone=${zoneName(service, index, limit)}${burst > 0 ? ` burst=${burst} nodelay` : ''}`];
}

/** What the replica is told of who asks. Nothing that clients say of it is believed. */
function forwardedHeaders(scheme: string, port: string): string[] {
  const set = {
    Host: `$host${port}`,
    'X-Real-IP': '$remote_addr',
    'X-Forwarded-For': '$remote_addr',
    'X-Forwarded-Host': `$host${port}`,
    'X-Forwarded-Proto': scheme,
    Authorization: '$dstack_authorization',
    Upgrade: '$dstack_upgrade',
    Connection: '$dstack_connection',
  };
  const dropped = [
    'Forwarded',
    'X-Forwarded-Prefix',
    'X-Forwarded-Port',
    'X-Original-URL',
    'X-Rewrite-URL',
    'Proxy',
    'Proxy-Authorization',
    'Proxy-Connection',
    'HTTP2-Settings',
    'Trailer',
  ];
  return [
    ...Object.entries(set).map(([header, value]) => `proxy_set_header ${header} ${value}`),
    ...dropped.map((header) => `proxy_set_header ${header} ""`),
  ];
}

function accessLines({ id, auth }: GatewayService, keepsAnswers: boolean): Directive[] {
  return [
    // Who shows nothing is nobody, and to such services nobody may come.
    ...(auth ? [] : [{ block: 'if ($http_authorization = "")', lines: ['return 204'] }]),
    'proxy_pass http://dstack_app',
    'proxy_pass_request_body off',
    'proxy_pass_request_headers off',
    'proxy_read_timeout 10s',
    'proxy_next_upstream error timeout',
    'proxy_set_header Host app',
    'proxy_set_header Connection ""',
    'proxy_set_header Content-Length ""',
    'proxy_set_header Authorization $http_authorization',
    `proxy_set_header ${ROUTE_HEADER} access`,
    `proxy_set_header ${SERVICE_HEADER} ${id}`,
    ...(auth && keepsAnswers ? keptLines(id) : []),
  ];
}

/** What it keeps, and for how long, the program says with each answer; without a word of it nothing is kept. */
function keptLines(serviceId: string): string[] {
  return [
    'proxy_buffering on',
    `proxy_cache ${KEPT_ANSWERS}`,
    `proxy_cache_key "${serviceId} $http_authorization"`,
    // All but the program's word.
    'proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Redirect',
  ];
}

const REFUSALS = 'error_page 403 = @refused';

const FAILURES = ['error_page 502 = @unreachable', 'error_page 504 = @late'];

/** nginx in the place of the program, which is not asked where a tunnel took the request. */
const FAILED: readonly Directive[] = [['@unreachable', UNREACHABLE] as const, ['@late', TOO_LATE] as const].map(
  ([location, { status, detail }]) => ({
    block: `location ${location}`,
    lines: ['default_type application/json', `return ${status} '${JSON.stringify({ detail })}'`],
  }),
);

const REFUSED: Directive = {
  block: 'location @refused',
  lines: [
    'default_type application/json',
    {
      block: 'if ($dstack_refused = stale)',
      lines: [
        'add_header Retry-After 60 always',
        `return 503 '{"detail":"The gateway cannot tell who may ask: its server has not been heard of for too long"}'`,
      ],
    },
    `return 403 '{"detail":"Unauthenticated or unauthorized"}'`,
  ],
};

const ALLOWED = [
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Headers',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Origin',
  'Access-Control-Expose-Headers',
  'Access-Control-Max-Age',
];

const CORS_ANSWER: readonly Directive[] = [
  ...ALLOWED.map((header) => `proxy_hide_header ${header}`),
  'add_header Access-Control-Allow-Origin * always',
  'add_header Access-Control-Expose-Headers * always',
];

const PREFLIGHT: Directive = {
  block: 'if ($dstack_preflight)',
  lines: [
    'add_header Access-Control-Allow-Origin *',
    'add_header Access-Control-Allow-Methods "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"',
    // `*` would not stand for Authorization.
    'add_header Access-Control-Allow-Headers $http_access_control_request_headers',
    'add_header Access-Control-Max-Age 86400',
    'return 204',
  ],
};
