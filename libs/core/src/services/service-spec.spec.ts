import type * as Wire from '../wire/generated/api.js';
import { serviceSpecWithoutGateway, whyNotServed } from './service-spec.js';

const service = (over: Partial<Wire.ServiceConfiguration> = {}): Wire.ServiceConfiguration => ({
  type: 'service',
  port: 80,
  ...over,
});

it.each<[string, Wire.TGIChatModel | Wire.OpenAIChatModel | null, Wire.ServiceModelSpec | null]>([
  ['no model', null, null],
  [
    'an OpenAI model',
    { type: 'chat', name: 'llama', format: 'openai', prefix: '/v1' },
    { name: 'llama', base_url: '/proxy/services/main/chat/v1', type: 'chat' },
  ],
  [
    'an OpenAI model under another prefix',
    { type: 'chat', name: 'llama', format: 'openai', prefix: 'api/' },
    { name: 'llama', base_url: '/proxy/services/main/chat/api', type: 'chat' },
  ],
  [
    'a TGI model',
    { type: 'chat', name: 'llama', format: 'tgi' },
    { name: 'llama', base_url: '/proxy/models/main/', type: 'chat' },
  ],
])('a service with %s has its addresses', (_what, model, expected) => {
  expect(serviceSpecWithoutGateway(service({ model }), 'main', 'chat')).toEqual({
    url: '/proxy/services/main/chat/',
    model: expected,
    options: {},
  });
});

describe('a service that this server', () => {
  it.each<[string, Partial<Wire.ServiceConfiguration>]>([
    ['says nothing', {}],
    ['wants no gateway', { gateway: false }],
    ['scales', { replicas: { min: 0, max: 3 }, scaling: { metric: 'rps', target: 1 } }],
    ['takes what the server has', { https: 'auto' }],
  ])('can serve: it %s', (_what, over) => {
    expect(whyNotServed(service(over), { forbidServicesWithoutGateway: false })).toBeNull();
  });

  it.each<[string, Partial<Wire.ServiceConfiguration>, RegExp]>([
    ['the default gateway', { gateway: true }, /asks for the default gateway.*gateway: false/],
    ['a gateway', { gateway: { name: 'main' } }, /gateway main/],
    ['the gateway of another project', { gateway: { project: 'ops', name: 'main' } }, /gateway ops\/main/],
    ['plain HTTP', { https: false }, /https: false/],
    ['limits', { rate_limits: [{ prefix: '/', rps: 1, burst: 0 }] }, /rate_limits/],
    ['a router', { replicas: [{ name: 'r', count: { min: 1, max: 1 }, router: { type: 'sglang' } }] }, /Router groups/],
  ])('cannot serve says so: %s', (_what, over, expected) => {
    expect(whyNotServed(service(over), { forbidServicesWithoutGateway: false })).toMatch(expected);
  });

  it('may not serve at all says so', () => {
    expect(whyNotServed(service(), { forbidServicesWithoutGateway: true })).toMatch(
      /does not serve services without a gateway/,
    );
  });
});
