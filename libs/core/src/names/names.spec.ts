import { balancerName, cloudName, instanceName, jobName, lowestFreeNumber } from './derived-names.js';
import { generatedName, generatedRunName, generatedUniqueName } from './generated-name.js';
import { isResourceName, resourceNameProblem } from './name-rules.js';

const first = () => 0;
const last = () => 0.999999;

it.each([
  ['ab', true],
  ['a', false],
  ['my-run-1', true],
  ['1run', false],
  ['Run', false],
  ['a'.repeat(41), true],
  ['a'.repeat(42), false],
  ['a_b', false],
])('%s is a resource name: %s', (name, valid) => {
  expect(isResourceName(name)).toBe(valid);
  expect(resourceNameProblem('run', name) === null).toBe(valid);
});

it('makes names that keep their own rule', () => {
  for (const random of [first, last]) expect(isResourceName(generatedName(random))).toBe(true);
});

it('gives a run the lowest free number', () => {
  const taken = new Set(['able-ant-1', 'able-ant-2', 'able-ant-4']);
  expect(generatedRunName(first, (name) => taken.has(name))).toBe('able-ant-3');
});

it('falls back to a number when the same pair keeps coming up taken', () => {
  expect(generatedUniqueName(first, (name) => name === 'able-ant')).toBe('able-ant-1');
});

it('names jobs and instances after their parents', () => {
  expect(jobName('r1', 2, 0)).toBe('r1-2-0');
  expect(instanceName('f1', 3)).toBe('f1-3');
});

it('reuses a freed instance number', () => expect(lowestFreeNumber([0, 2, 1, 4])).toBe(3));

it.each([
  [{ project: 'main', name: 'run-1' }, 60, 'dstack-main-run-1-aaaaaaaa'],
  [{ project: 'Has_Upper', name: 'run-1' }, 60, 'dstack-run-1-aaaaaaaa'],
  [{ project: 'main', name: 'a-very-long-name' }, 24, 'dstack-main-a-v-aaaaaaaa'],
])('cloud name of %j within %i', (parts, maxLength, expected) => {
  expect(cloudName(parts, first, maxLength)).toBe(expected);
});

it.each([
  ['edge', 'dstack-edge-0123456789ab'],
  ['a-name-that-is-long', 'dstack-a-name-that-0123456789ab'],
  ['eleven-char-s', 'dstack-eleven-char-0123456789ab'],
])('the balancer of gateway %s is %s, whenever it is asked for', (name, expected) => {
  const made = balancerName({ id: '01234567-89ab-4def-8123-456789abcdef', name });
  expect(made).toBe(expected);
  expect(made.length).toBeLessThanOrEqual(32);
});
