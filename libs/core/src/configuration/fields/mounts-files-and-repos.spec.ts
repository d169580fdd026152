import { describeField } from '../../../test/describe-field.js';
import { fileMapping } from './file-mapping.js';
import { mountPoint } from './mount-point.js';
import { repoSpec } from './repo-spec.js';

describeField(
  'mount point',
  mountPoint(),
  [
    ['data:/data', { name: 'data', path: '/data' }],
    ['data:/data//x/./', { name: 'data', path: '/data/x' }],
    ['/host:/c', { instance_path: '/host', path: '/c', optional: false }],
    [
      { name: ['a', 'b'], path: '/d' },
      { name: ['a', 'b'], path: '/d' },
    ],
    [
      { instance_path: '/a', path: '/b', optional: true },
      { instance_path: '/a', path: '/b', optional: true },
    ],
  ],
  [
    ['data', 'invalid mount point'],
    ['a:/b:ro', 'invalid mount point'],
    [':/b', 'invalid mount point'],
    ['data:rel', 'must be absolute'],
    ['/a/../b:/c', 'must not contain ".."'],
    ['a/b:/c', 'must be absolute'],
    [{ name: [], path: '/d' }, 'must not be empty'],
    [{ name: 'a' }, 'is required'],
  ],
);

const repo = (parts: object) => ({
  local_path: null,
  url: null,
  branch: null,
  hash: null,
  path: '.',
  if_exists: 'error',
  ...parts,
});
describeField(
  'repo',
  repoSpec(),
  [
    ['.', repo({ local_path: '.' })],
    ['..:/code', repo({ local_path: '..', path: '/code' })],
    ['C:\\src:/code', repo({ local_path: 'C:\\src', path: '/code' })],
    ['https://github.com/org/x.git', repo({ url: 'https://github.com/org/x.git' })],
    ['https://github.com/org/x:~/x', repo({ url: 'https://github.com/org/x', path: '~/x' })],
    ['https://me:token@github.com/org/x:/x', repo({ url: 'https://me:token@github.com/org/x', path: '/x' })],
    ['ssh://git@host:2222/x.git:/code', repo({ url: 'ssh://git@host:2222/x.git', path: '/code' })],
    ['http://host:8080:/code', repo({ url: 'http://host:8080', path: '/code' })],
    ['git@github.com:org/x.git', repo({ url: 'git@github.com:org/x.git' })],
    ['git@github.com:org/x.git:/code', repo({ url: 'git@github.com:org/x.git', path: '/code' })],
    [
      { url: 'https://a/b', branch: 'main', if_exists: 'skip' },
      repo({ url: 'https://a/b', branch: 'main', if_exists: 'skip' }),
    ],
  ],
  [
    ['a:b:c', 'Invalid repo'],
    ['a:', 'Invalid repo'],
    ['.:~bob/x', "another user's home"],
    [{}, 'exactly one of local_path and url'],
    [{ local_path: '.', url: 'https://a/b' }, 'exactly one of local_path and url'],
    [{ local_path: '.', if_exists: 'Skip' }, 'expected one of error, skip'],
  ],
);

describeField(
  'file',
  fileMapping(),
  [
    ['a.txt', { local_path: 'a.txt', path: 'a.txt' }],
    ['ab:/b', { local_path: 'ab', path: '/b' }],
    ['C:\\a:/b', { local_path: 'C:\\a', path: '/b' }],
  ],
  [
    ['C:\\a', 'is a Windows path'],
    ['a:b:c', 'invalid file mapping'],
    ['', 'invalid file mapping'],
    [{ local_path: 'a' }, 'is required'],
  ],
);
