import { type GatewayStateInput, parseGatewayState } from './desired-state.js';

const hop = { host: '10.0.0.1', port: 22, user: 'dstack-door', keyId: 'k1', hostKey: null };
const service = {
  id: 's1',
  project: 'main',
  run: 'llm',
  host: 'llm.example.com',
  https: 'certificate',
  auth: true,
  replicas: [{ id: 'j1', group: '0', hops: [hop], remote: { kind: 'tcp', host: '127.0.0.1', port: 8000 } }],
} as const;
const state = {
  revision: 1,
  services: [service],
  access: { revision: 1, tokens: [] },
  keys: [{ id: 'k1', privateKey: 'TOP-SECRET' }],
  acme: null,
} satisfies GatewayStateInput;

it('fills in what may be left out, and drops what it does not know', () => {
  const parsed = parseGatewayState({ ...state, fromTheFuture: 1 });
  expect(parsed).not.toHaveProperty('fromTheFuture');
  expect([parsed.holdSeconds, parsed.models]).toEqual([3600, []]);
  expect(parsed.services[0]).toMatchObject({ maxBodyBytes: 67_108_864, rateLimits: [], onlyPaths: null, cors: false });
});

it.each([
  ['a host twice', { services: [service, { ...service, id: 's2' }] }, 'two services want the host llm.example.com'],
  ['a key that is not there', { keys: [{ id: 'k2', privateKey: 'TOP-SECRET' }] }, 'replica j1 needs the key k1'],
  ['a host with more in it', { services: [{ ...service, host: 'a.com;\n}' }] }, 'a host name in lower case'],
  ['an id that is a path', { services: [{ ...service, id: '../x' }] }, 'services.0.id'],
  [
    'a path with a line',
    { services: [{ ...service, onlyPaths: [{ path: '/a\n', match: 'exact' }] }] },
    'a path starting',
  ],
  ['a key without text', { keys: [{ id: 'k1', privateKey: 7 }] }, 'keys.0.privateKey'],
])('refuses %s, and repeats no secret', (_what, change, message) => {
  let thrown: unknown;
  try {
    parseGatewayState({ ...state, ...change });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(RangeError);
  expect(String(thrown)).toContain(message);
  expect(String(thrown)).not.toContain('TOP-SECRET');
});
