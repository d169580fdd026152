import { createHash } from 'node:crypto';
import type { GatewayRateLimit, GatewayService } from '@dstack/gateway-protocol';
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
const ACCESS = '/.dstack/access';
/** The same, for requests that were sent on to `@closing`. */
const ACCESS_AGAIN = '/.dstack/access-again';
/** Nobody's path has these: nginx resolves them, a replica may do it in another way and find what is not open. */
const TWO_MEANINGS = '^[^?]*(?:/|%2[fF]|\\\\|%5[cC])(?:\\.|%2[eE]){1,2}(?:[/;?\\\\]|%2[fF]|%5[cC]|%3[bB]|$)';

/** What stands outside of the service's server: where its requests go, and how they are counted. */
export function serviceZones({ service, socketPath }: ServedService, closesIdle: boolean): Directive[] {
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
    ...service.rateLimits.flatMap((limit, index) => rateLimitZone(zoneName(name, index, limit), limit)),
  ];
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
export function serviceLines({ service }: ServedService, port: string, closingPath: string): Directive[] {
  const name = serviceName(service.id);
  const { answerSeconds, hold, maxBodyBytes } = service;
  const paths = limitedPaths(service.rateLimits, service.onlyPaths);
  const isOpen = paths.some(({ path, match }) => path === '/' && match === 'prefix');
  const hasPathRules = paths.some(({ path }) => path !== '/');
  return [
    `client_max_body_size ${maxBodyBytes}`,
    // It may have waited for a replica before.
    `proxy_read_timeout ${answerSeconds + Math.ceil(hold.seconds)}s`,
    `proxy_send_timeout ${answerSeconds}s`,
    `proxy_next_upstream_tries ${TRIES}`,
    ...forwardedHeaders(service.https === 'none' ? '$scheme' : 'https', port),
    ...(service.cors ? CORS_ANSWER : []),
    ...(hasPathRules ? [{ block: `if ($request_uri ~ "${TWO_MEANINGS}")`, lines: ['return 400'] }] : []),
    {
      block: `location = ${ACCESS}`,
      lines: ['internal', { block: `if (-f ${quoted(closingPath)})`, lines: ['return 401'] }, ...accessLines(service)],
    },
    { block: `location = ${ACCESS_AGAIN}`, lines: ['internal', ...accessLines(service)] },
    REFUSED,
    // A worker that is about to end closes connections without a word; to say so before costs clients nothing.
    { block: 'location @closing', lines: ['keepalive_timeout 0', REFUSALS, ...passLines(name, ACCESS_AGAIN)] },
    ...paths.map(({ path, match, limit }) => ({
      block: `location ${match === 'exact' ? '= ' : ''}${quoted(path)}`,
      lines: [
        ...(service.cors ? [PREFLIGHT] : []),
        ...limitLines(name, limit, service.rateLimits),
        // Never for the whole server: the question of access would get them too, and an answer of the replica would be taken for a yes.
        'recursive_error_pages on',
        'error_page 401 = @closing',
        REFUSALS,
        ...passLines(name, ACCESS),
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

function accessLines({ id, auth }: GatewayService): Directive[] {
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
  ];
}

const REFUSALS = 'error_page 403 = @refused';

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
