import { parseDestination } from './git-ssh.js';

const key = ['-i', '/key', '-o', 'IdentitiesOnly=yes'];

it.each([
  [
    ['-o', 'SendEnv=GIT_PROTOCOL', '-p', '2222', 'git@example.org', "git-upload-pack '/a b.git'"],
    { user: 'git', host: 'example.org', port: 2222, command: "git-upload-pack '/a b.git'" },
  ],
  [['-4', '[::1]', 'x'], { user: 'git', host: '::1', port: 22, command: 'x' }],
])('git’s call of ssh %j', (argv, expected) => {
  expect(parseDestination([...key, ...argv])).toEqual({ ...expected, keyFile: '/key' });
});

it('without a key or a host is refused', () => {
  expect(() => parseDestination(['git@example.org', 'x'])).toThrow('no key');
  expect(() => parseDestination(key)).toThrow('HOST');
});
