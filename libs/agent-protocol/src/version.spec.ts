import { commonProtocol } from './version.js';

it.each([
  ['the same', { min: 1, max: 1 }, { min: 1, max: 1 }, 1],
  ['an older agent', { min: 2, max: 4 }, { min: 1, max: 2 }, 2],
  ['a newer agent', { min: 1, max: 2 }, { min: 2, max: 5 }, 2],
  ['an agent of another age', { min: 4, max: 6 }, { min: 1, max: 3 }, null],
])('with %s', (_who, server, agent, expected) => {
  expect(commonProtocol(server, agent)).toBe(expected);
});
