import { knownTo } from './known-to-gateway.js';

const replica = (id: string) => ({ id, group: '0', hops: [], remote: { kind: 'server' as const } });
const service = {
  id: 'run',
  project: 'main',
  run: 'web',
  host: 'web.example.com',
  https: 'none' as const,
  auth: true,
  replicas: [replica('far'), replica('near')],
};
const state = { services: [service], keys: [], acme: null };
const led = new Map([['near', { instanceId: 'i', port: 80 }]]);

it.each([
  ['1', 1, ['far'], ['near']],
  ['2', 2, ['far', 'near'], []],
])('a program that speaks version %s hears of %j', (_what, protocol, told, refused) => {
  const known = knownTo({ state, led, refused: [] }, protocol);
  expect(known.state.services.map(({ replicas }) => replicas.map(({ id }) => id))).toEqual([told]);
  expect(known.refused.map(({ runId, jobId }) => [runId, jobId])).toEqual(refused.map((id) => ['run', id]));
  expect([...known.led.keys()]).toEqual(refused.length === 0 ? ['near'] : []);
});
