import { podState } from './pod-state.js';
import { podReply } from './schema.js';

const pod = (status: object, metadata: object = {}) =>
  podReply.parse({ metadata: { name: 'p', ...metadata }, spec: { containers: [{ name: 'job' }] }, status });
const waiting = (reason: string, message?: string) => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'job', state: { waiting: { reason, message } } }],
});
const ended = (exitCode: number, reason: string, message?: string) => ({
  phase: 'Failed',
  containerStatuses: [{ name: 'job', state: { terminated: { exitCode, reason, message } } }],
});

it.each([
  ['a new pod', { phase: 'Pending' }, { state: 'starting', reason: 'waits for a node' }],
  ['one with a node', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'True' }] }, { state: 'starting', reason: 'scheduled' }],
  ['one that is pulled', waiting('ContainerCreating'), { state: 'starting', reason: 'ContainerCreating' }],
  ['one without room', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }] }, { state: 'unschedulable', message: '0/3 nodes are available' }],
  ['one that is held back', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }, { state: 'starting', reason: 'waits for a node' }],
  ['one without its image', waiting('ImagePullBackOff', 'Back-off pulling image "nope"'), { state: 'failed', message: 'container job: ImagePullBackOff: Back-off pulling image "nope"' }],
  ['one that cannot be made', waiting('CreateContainerConfigError'), { state: 'failed', message: 'container job: CreateContainerConfigError' }],
  ['one whose init container hangs', { phase: 'Pending', initContainerStatuses: [{ name: 'agent', state: { waiting: { reason: 'ErrImagePull' } } }] }, { state: 'failed', message: 'container agent: ErrImagePull' }],
  ['one that runs', { phase: 'Running', podIP: '10.1.2.3' }, { state: 'running', ip: '10.1.2.3' }],
  ['one that runs without an address', { phase: 'Running' }, { state: 'starting', reason: 'waits for a node' }],
  ['one that was killed', ended(137, 'OOMKilled'), { state: 'failed', message: 'container job ended with 137 (OOMKilled)' }],
  ['one that ended with words', ended(12, 'Error', 'no download'), { state: 'failed', message: 'container job ended with 12 (Error): no download' }],
  ['one that was evicted', { phase: 'Failed', reason: 'Evicted', message: 'low on memory' }, { state: 'failed', message: 'Evicted: low on memory' }],
  ['one that is done', { phase: 'Succeeded' }, { state: 'failed', message: 'the container ended' }],
  ['one of which nothing is known', {}, { state: 'starting', reason: 'waits for a node' }],
])('%s', (_what, status, expected) => {
  expect(podState(pod(status))).toEqual(expected);
}); // prettier-ignore

it('is gone once it is to go', () => {
  expect(podState(pod({ phase: 'Running', podIP: '10.1.2.3' }, { deletionTimestamp: '2026-11-29T00:00:00Z' }))).toEqual({ state: 'gone' }); // prettier-ignore
});
