import {
  isAskedFromOutside,
  isDynamoRouter,
  isDynamoWorker,
  isRoutedWorker,
  isRouterPath,
  routerGroup,
} from './router.js';
import { type RoutedReplica, workerChanges, workerInfo, workersOf } from './router-workers.js';

it.each([
  ['/generate', true],
  ['/chat/completions?x=1', true],
  ['/v1/models/org%2Fname', true],
  ['/v1', false],
  ['/', false],
  ['/generate/', false],
  ['/workers', false],
  ['/v1/../workers', false],
  ['/v1/%2e%2e/workers', false],
  ['/v1/..%2fworkers', false],
  ['/v1/%', false],
])('a router is asked at %s: %s', (target, expected) => {
  expect(isRouterPath(target)).toBe(expected);
});

it('the router is one of the groups', () => {
  const worker = { name: 'w', count: { min: 1, max: 2 } };
  const router = { name: 'r', count: { min: 1, max: 1 }, router: { type: 'sglang' as const } };
  expect(routerGroup({ type: 'service', port: 80, replicas: [worker, router] })?.name).toBe('r');
  expect(routerGroup({ type: 'service', port: 80, replicas: [worker] })).toBeNull();
  expect(routerGroup({ type: 'service', port: 80, replicas: { min: 1, max: 1 } })).toBeNull();
});

it.each<[string, string, string | null, boolean]>([
  ['of another group than the router', 'w', 'r', true],
  ['that is the router', 'r', 'r', false],
  ['of a service without a router', 'w', null, false],
])('a replica %s gets its requests from it, or not', (_what, group, router, expected) => {
  expect(isRoutedWorker(group, router)).toBe(expected);
});

it.each<[string, Partial<RoutedReplica>, boolean]>([
  ['answers', {}, true],
  ['is the router itself', { replicaGroup: 'r' }, false],
  ['does not answer yet', { registered: false }, false],
  ['drains', { drainingSince: 5 }, false],
])('a replica that %s is one of the workers, or not', (_what, over, expected) => {
  const replica = { replicaGroup: 'w', registered: true, drainingSince: null, ...over };
  expect(workersOf('r', [replica])).toEqual(expected ? [replica] : []);
});

it('nobody but the router is asked from outside, and every replica where there is none', () => {
  const worker = { name: 'w', count: { min: 1, max: 2 } };
  const router = { name: 'r', count: { min: 1, max: 1 }, router: { type: 'sglang' as const } };
  const routed = { type: 'service' as const, port: 80, replicas: [worker, router] };
  expect(['r', 'w'].map((group) => isAskedFromOutside(routed, group))).toEqual([true, false]);
  expect(isAskedFromOutside({ ...routed, replicas: [worker] }, 'w')).toBe(true);
  expect(isAskedFromOutside({ type: 'task' }, '0')).toBe(false);
});

it.each([
  ['dynamo', [true, false], [false, true]],
  ['sglang', [false, false], [false, false]],
] as const)('behind a router of type %s', (type, routers, workers) => {
  const worker = { name: 'w', count: { min: 1, max: 2 } };
  const router = { name: 'r', count: { min: 1, max: 1 }, router: { type } };
  const routed = { type: 'service' as const, port: 80, replicas: [router, worker] };
  expect(['r', 'w'].map((group) => isDynamoRouter(routed, group))).toEqual(routers);
  expect(['r', 'w'].map((group) => isDynamoWorker(routed, group))).toEqual(workers);
});

it('a router is told of workers that came and of those that went', () => {
  const listed = [
    { id: 'a', url: 'http://10.0.0.1:8000/' },
    { id: 'b', url: 'http://10.0.0.2:8000' },
    { id: 'c', url: 'http://10.0.0.3:8000@0' },
    { id: 'd', url: 'http://10.0.0.3:8000@1' },
    { id: 'e', url: 'grpc://10.0.0.5:8000' },
  ];
  expect(workerChanges(listed, ['10.0.0.1:8000', '10.0.0.3:8000', '10.0.0.4:8000', '10.0.0.5:8000'])).toEqual({
    missing: ['10.0.0.4:8000'],
    stale: [{ id: 'b', url: 'http://10.0.0.2:8000' }],
  });
  expect(workerChanges([], [])).toEqual({ missing: [], stale: [] });
});

it.each([
  ['nothing', {}, { kind: 'regular', bootstrapPort: null }],
  ['an ordinary one', { status: 'ready', disaggregation_mode: 'null' }, { kind: 'regular', bootstrapPort: null }],
  [
    'prefill',
    { status: 'ready', disaggregation_mode: 'prefill', disaggregation_bootstrap_port: 8998 },
    { kind: 'prefill', bootstrapPort: 8998 },
  ],
  [
    'decode',
    { disaggregation_mode: 'decode', disaggregation_bootstrap_port: 8998 },
    { kind: 'decode', bootstrapPort: null },
  ],
  ['one that starts', { status: 'loading' }, null],
])('a worker says what it is: %s', (_what, info, expected) => {
  expect(workerInfo(info)).toEqual(expected === null ? null : { ...expected, protocol: 'http' });
});
