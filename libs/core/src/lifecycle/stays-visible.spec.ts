import { staysVisible } from './stays-visible.js';

it.each<[string, Parameters<typeof staysVisible>[0], boolean]>([
  ['a host that could not be used', { tenure: 'given', fleetIsGoing: false, reason: 'error' }, true],
  ['a host that ended for no reason that is known', { tenure: 'given', fleetIsGoing: false, reason: null }, true],
  ['a host that was taken away', { tenure: 'given', fleetIsGoing: false, reason: 'terminated_by_user' }, false],
  ['a host of a fleet that is going', { tenure: 'given', fleetIsGoing: true, reason: 'error' }, false],
  ['a rented machine', { tenure: 'rented', fleetIsGoing: false, reason: 'error' }, false],
  ["the server's own machine", { tenure: 'local', fleetIsGoing: false, reason: 'error' }, false],
])('%s is shown after its end, or not', (_what, facts, expected) => {
  expect(staysVisible(facts)).toBe(expected);
});
