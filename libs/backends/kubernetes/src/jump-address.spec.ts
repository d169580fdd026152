import { jumpAddress } from './jump-address.js';
import { nodeReply, podReply, serviceReply } from './schema.js';

const RUNS = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
const pod = (status: object = RUNS) =>
  podReply.parse({ metadata: { name: 'jump' }, spec: { nodeName: 'b', containers: [{ name: 'jump' }] }, status });
const service = (nodePort?: number) =>
  serviceReply.parse({ metadata: { name: 'jump' }, spec: { ports: [{ port: 22, nodePort }] } });
const node = (name: string, ...addresses: object[]) => nodeReply.parse({ metadata: { name }, status: { addresses } });
const external = (address: string) => ({ type: 'ExternalIP', address });
const NODES = [node('a', external('198.51.100.1')), node('b', external('198.51.100.2'))];

it.each([
  ['the node that has it', jumpAddress(pod(), service(31_000), {}, NODES), { state: 'reachable', host: '198.51.100.2', port: 31_000 }],
  ['another node, where its own has no address', jumpAddress(pod(), service(31_000), {}, [node('b', { type: 'InternalIP', address: '10.0.0.1' }), ...NODES.slice(0, 1)]), { state: 'reachable', host: '198.51.100.1', port: 31_000 }],
  ['what is configured', jumpAddress(pod(), service(31_000), { hostname: 'jump.example' }, []), { state: 'reachable', host: 'jump.example', port: 31_000 }],
])('is reached at %s', (_what, address, expected) => {
  expect(address).toEqual(expected);
}); // prettier-ignore

it.each([
  ['starts', jumpAddress(pod({ phase: 'Pending' }), service(31_000), {}, NODES)],
  ['is not ready', jumpAddress(pod({ phase: 'Running' }), service(31_000), {}, NODES)],
  ['has no port', jumpAddress(pod(), service(), {}, NODES)],
])('is waited for while it %s', (_what, address) => {
  expect(address.state).toBe('waiting');
});

it('says why it waits, and what to do where there is no way', () => {
  const stuck = pod({ phase: 'Pending', containerStatuses: [{ name: 'jump', state: { waiting: { reason: 'ErrImagePull', message: 'no such host' } } }] }); // prettier-ignore
  expect(JSON.stringify(jumpAddress(stuck, service(31_000), {}, NODES))).toContain('ErrImagePull: no such host');
  const impossible = jumpAddress(pod(), service(31_000), {}, [node('b')]);
  expect(impossible.state).toBe('impossible');
  expect(JSON.stringify(impossible)).toContain('set proxy_jump.hostname');
});
