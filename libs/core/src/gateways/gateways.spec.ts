import type * as Wire from '../wire/generated/api.js';
import { type GatewayFact, gatewayWish, whyGatewayRefuses } from './choose-gateway.js';
import { gatewayDomain } from './gateway-domain.js';
import { gatewayService } from './gateway-service.js';
import { type CertificateKind, httpsMode } from './https-mode.js';

const gateway = (over: Partial<GatewayFact> = {}): GatewayFact => ({
  name: 'edge',
  status: 'running',
  isBeingDeleted: false,
  runningReplicas: 1,
  domain: 'example.com',
  certificate: 'lets-encrypt',
  ...over,
});
const service = (over: Partial<Wire.ServiceConfiguration> = {}): Wire.ServiceConfiguration => ({
  type: 'service',
  port: 80,
  ...over,
});

describe('`https` of a service at a gateway', () => {
  const TLS = 'https by gateway';
  const BALANCER = 'https by balancer';
  it.each<[Wire.ServiceConfiguration['https'], CertificateKind, string]>([
    [undefined, null, 'error'],
    [null, null, 'error'],
    [true, null, 'error'],
    ['auto', null, 'http'],
    [false, null, 'http'],
    [undefined, 'lets-encrypt', TLS],
    [true, 'lets-encrypt', TLS],
    ['auto', 'lets-encrypt', TLS],
    [false, 'lets-encrypt', 'http'],
    [undefined, 'acm', BALANCER],
    [true, 'acm', BALANCER],
    ['auto', 'acm', BALANCER],
    [false, 'acm', 'error'],
  ])('%p with the certificate %p: %s', (https, certificate, expected) => {
    const mode = httpsMode(https, certificate);
    const text = mode.ok ? `${mode.scheme}${mode.tls === null ? '' : ` by ${mode.tls}`}` : 'error';
    expect(text).toBe(expected);
  });
});

it.each<[Wire.ServiceConfiguration['gateway'], ReturnType<typeof gatewayWish>]>([
  [undefined, { kind: 'default', isRequired: false }],
  [null, { kind: 'default', isRequired: false }],
  [true, { kind: 'default', isRequired: true }],
  [false, { kind: 'none' }],
  ['edge', { kind: 'named', project: null, name: 'edge' }],
  ['ops/edge', { kind: 'named', project: 'ops', name: 'edge' }],
  [{ name: 'edge' }, { kind: 'named', project: null, name: 'edge' }],
  [
    { project: 'ops', name: 'edge' },
    { kind: 'named', project: 'ops', name: 'edge' },
  ],
])('a service with gateway %j asks for %j', (written, expected) => {
  expect(gatewayWish(service(written === undefined ? {} : { gateway: written }))).toEqual(expected);
});

it.each<[Partial<GatewayFact>, RegExp | null]>([
  [{}, null],
  [{ isBeingDeleted: true }, /being deleted/],
  [{ status: 'submitted' }, /not ready yet, it is submitted/],
  [{ status: 'provisioning' }, /not ready yet/],
  [{ status: 'failed' }, /has failed/],
  [{ runningReplicas: 0 }, /No replica of gateway edge is running/],
  [{ domain: null }, /has no domain/],
  [{ domain: '' }, /has no domain/],
])('a gateway %j refuses services: %p', (over, expected) => {
  const refusal = whyGatewayRefuses(gateway(over));
  if (expected === null) expect(refusal).toBeNull();
  else expect(refusal).toMatch(expected);
});

it.each([
  ['example.com', 'example.com'],
  ['*.Example.com', 'example.com'],
  ['${{ run.project_name }}.example.com', 'my-team.example.com'],
  ['x..y', null],
  ['-x.y', null],
  ['a b', null],
  ['${{ run.name }}.x', null],
  ['x;return 200', null],
])('the domain %j of project my_team is %j', (written, expected) => {
  const resolved = gatewayDomain(written, 'my_team');
  expect(resolved.ok ? resolved.domain : null).toBe(expected);
});

it.each<[string, Partial<Wire.ServiceConfiguration>, Partial<GatewayFact>, string, string | null]>([
  ['no model', {}, {}, 'https://chat.example.com/', null],
  ['plain HTTP', { https: false }, {}, 'http://chat.example.com/', null],
  [
    'an OpenAI model',
    { model: { type: 'chat', name: 'm', format: 'openai', prefix: '/v1' } },
    {},
    'https://chat.example.com/',
    'https://chat.example.com/v1',
  ],
  [
    'a TGI model',
    { https: 'auto', model: { type: 'chat', name: 'm', format: 'tgi' } },
    { certificate: null },
    'http://chat.example.com/',
    'http://gateway.example.com',
  ],
])('a service with %s has its addresses', (_what, over, at, url, modelUrl) => {
  const made = gatewayService(gateway(at), { configuration: service(over), projectName: 'main', runName: 'chat' });
  expect(made).toMatchObject({ ok: true, spec: { url }, host: 'chat.example.com' });
  expect(made.ok ? (made.spec.model?.base_url ?? null) : '').toBe(modelUrl);
});
