import { requireNode } from './require-node.js';

it.each(['22.19.0', '22.20.1', '24.11.0', '24.21.0', '25.0.0'])('Node %s will do', (version) => {
  expect(() => requireNode(version)).not.toThrow();
});

it.each(['18.20.0', '20.20.2', '22.18.0', '23.5.0', '24.10.0'])(
  'Node %s is refused with what to install',
  (version) => {
    expect(() => requireNode(version)).toThrow(`this is Node ${version}. Install`);
  },
);
