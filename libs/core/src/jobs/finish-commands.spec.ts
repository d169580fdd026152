import { finishCommands } from './finish-commands.js';

const nodes = [
  { group: 0, index: 0, ip: '10.0.0.1' },
  { group: 1, index: 0, ip: '10.0.0.2' },
  { group: 1, index: 1, ip: '' },
];

it.each([
  ['ping ${{ groups[0].nodes[0].IP_ADDRESS }} ${{groups[1].nodes[0].IP_ADDRESS}}', 'ping 10.0.0.1 10.0.0.2'],
  ['echo $${{ groups[0].nodes[0].IP_ADDRESS }}', 'echo ${{ groups[0].nodes[0].IP_ADDRESS }}'],
  ['echo $$ $HOME ${X} ${{ other.thing }}', 'echo $$ $HOME ${X} ${{ other.thing }}'],
])('%s is run as %s', (written, run) => {
  expect(finishCommands(['sh', '-c', written], nodes)).toEqual({ ok: true, argv: ['sh', '-c', run] });
});

it.each(['${{ groups[1].nodes[1].IP_ADDRESS }}', '${{ groups[2].nodes[0].IP_ADDRESS }}'])(
  '%s has no address',
  (reference) => {
    expect(finishCommands([`ping ${reference}`], nodes)).toEqual({ ok: false, missing: [reference] });
  },
);
