import { expect, it } from '@jest/globals';
import { readCommandLine } from '../src/command-line.js';
import { FAULTS } from '../src/faults.js';

it('tells a hundred stories unless told otherwise', () => {
  expect(readCommandLine([])).toMatchObject({
    seeds: 100,
    from: 1,
    trace: null,
    asked: {},
    json: false,
  });
});

it('takes what the help names', () => {
  expect(readCommandLine(['--seeds', '7', '--from', '30', '--json'])).toMatchObject({ seeds: 7, from: 30, json: true });
  expect(readCommandLine(['--creates', '100', '--kind', 'lookup'])).toMatchObject({ creates: 100, kind: 'lookup' });
  const asked = { runs: 0, gateways: 2, faults: FAULTS };
  expect(readCommandLine(['--runs', '0', '--gateways', '2', '--all-faults'])).toMatchObject({ asked });
  expect(readCommandLine(['--trace', '25', '--crash-at', '3'])).toMatchObject({ trace: 25, crashAt: 3 });
});

it('says what is wrong with a number, and with an option it does not know', () => {
  expect(() => readCommandLine(['--seeds', 'many'])).toThrow('--seeds takes a whole number, not "many"');
  expect(() => readCommandLine(['--seed', '1'])).toThrow('--seed');
  expect(() => readCommandLine(['--kind', 'luck'])).toThrow('--kind is one of token, name, lookup, not "luck"');
});
