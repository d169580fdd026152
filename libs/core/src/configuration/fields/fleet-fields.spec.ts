import { describeField } from '../../../test/describe-field.js';
import { blocks } from './blocks.js';
import { fleetNodes } from './fleet-nodes.js';

describeField(
  'fleet nodes',
  fleetNodes(),
  [
    [2, { min: 2, max: 2 }],
    ['0..', { min: 0, max: null }],
    ['..3', { min: 0, max: 3 }],
    [
      { min: 1, target: 2, max: 3 },
      { min: 1, target: 2, max: 3 },
    ],
    [
      { min: 1, target: 1 },
      { min: 1, max: null },
    ],
  ],
  [
    [{ min: 2, target: 1 }, 'must not be less than min'],
    [{ target: 4, max: 3 }, 'must not be greater than max'],
    [{ min: 2, max: 1 }, 'must not be less than min'],
    [{ min: -1 }, 'at least 0'],
    ['x', 'not a whole number'],
  ],
);
describeField(
  'blocks',
  blocks(),
  [
    ['auto', 'auto'],
    [4, 4],
    ['4', 4],
  ],
  [
    [0, 'at least 1'],
    ['many', 'whole number or "auto"'],
    [1.5, 'whole number'],
  ],
);
