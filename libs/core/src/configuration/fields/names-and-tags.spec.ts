import { describeField } from '../../../test/describe-field.js';
import { entityReference } from './entity-reference.js';
import { instanceSelector } from './instance-selector.js';
import { tags } from './tags.js';

describeField(
  'entity reference',
  entityReference(),
  [
    ['f', { project: null, name: 'f' }],
    ['p/f', { project: 'p', name: 'f' }],
    [{ name: 'f' }, { project: null, name: 'f' }],
  ],
  [
    ['p/', 'invalid reference'],
    ['a/b/c', 'invalid reference'],
    ['', 'invalid reference'],
  ],
);
describeField(
  'instance',
  instanceSelector(),
  [
    ['f-0', { name: 'f-0' }],
    [{ name: 'f-0' }, { name: 'f-0' }],
    [{ hostname: 'h' }, { hostname: 'h' }],
    [
      { fleet: 'p/f', instance: 0 },
      { fleet: { project: 'p', name: 'f' }, instance: 0 },
    ],
  ],
  [
    ['', 'must not be empty'],
    [{ fleet: 'f' }, 'is required'],
    [{ fleet: 'f', instance: -1 }, 'at least 0'],
    [{ name: 'a', hostname: 'b' }, 'not a known property'],
  ],
);

describeField(
  'tags',
  tags(),
  [
    [
      { team: 'a b', n: 1 },
      { team: 'a b', n: '1' },
    ],
  ],
  [
    [{ 'a b': 'x' }, 'invalid tag key'],
    [{ a: 'x?' }, 'is not valid'],
    [{ a: 'x'.repeat(257) }, 'is not valid'],
    [['a'], 'expected a mapping'],
  ],
);
