import type * as Wire from '../wire/generated/api.js';
import { serviceSpecWithoutGateway, whyNotServed, whyNotServedHere } from './service-spec.js';

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
    expect(whyNotServed({ configuration: service(over) })).toBeNull();
    expect(whyNotServedHere(service(over), { forbidServicesWithoutGateway: false })).toBeNull();
  });

  it.each<[string, Partial<Wire.ServiceConfiguration>, RegExp]>([
    ['plain HTTP', { https: false }, /https: false/],
    ['limits', { rate_limits: [{ prefix: '/', rps: 1, burst: 0 }] }, /rate_limits/],
  ])('cannot serve says so: %s', (_what, over, expected) => {
    expect(whyNotServedHere(service(over), { forbidServicesWithoutGateway: false })).toMatch(expected);
  });

  it('may not serve at all says so', () => {
    expect(whyNotServedHere(service(), { forbidServicesWithoutGateway: true })).toMatch(
      /does not serve services without a gateway/,
    );
  });
});

it.each<['sglang' | 'dynamo', object, object, string | null]>([
  ['sglang', { retry: true }, { retry: true }, null],
  ['dynamo', {}, {}, null],
  ['dynamo', {}, { retry: false }, null],
  ['dynamo', {}, { retry: true }, 'take `retry` out of the profile'],
  // The configuration's own wins.
  ['dynamo', { retry: false }, { retry: true }, null],
])('a service with a router of type %s, with %j and the profile %j', (type, more, parameters, expected) => {
  const replicas = [{ name: 'r', count: { min: 1, max: 1 }, router: { type } }];
  const profile = { name: 'p', ...parameters };
  const why = whyNotServed({ configuration: service({ replicas, ...more }), profile });
  expect(why).toEqual(expected === null ? null : expect.stringContaining(expected));
});
