import { isLabel, jumpName, withTags } from './names.js';
import { dockerConfig, registryOf } from './registry-auth.js';

it.each([
  ['team', 'vision', true],
  ['example.com/team', 'a_b.c-d', true],
  ['team', '', true],
  ['team', 'x'.repeat(63), true],
  ['team', 'x'.repeat(64), false],
  ['team', 'not a label', false],
  ['-team', 'x', false],
  ['a/b/c', 'x', false],
  ['UPPER.example/team', 'x', false],
  ['', 'x', false],
])('%j: %j as a label: %s', (key, value, expected) => {
  expect(isLabel(key, value)).toBe(expected);
});

it('keeps our labels, and tells what it drops', () => {
  const dropped: string[] = [];
  const labels = withTags({ 'k8s.dstack.ai/server': 'somebody', team: 'a', bad: '!' }, { 'k8s.dstack.ai/server': 'us', 'k8s.dstack.ai/user': 'Å' }, (key) => dropped.push(key)); // prettier-ignore
  expect(labels).toEqual({ 'k8s.dstack.ai/server': 'us', team: 'a' });
  expect(dropped).toEqual(['bad', 'k8s.dstack.ai/user']);
});

it('has one jump pod for each project and installation, whose name fits', () => {
  const names = [
    jumpName({ owner: 'a', project: 'main' }),
    jumpName({ owner: 'b', project: 'main' }),
    jumpName({ owner: 'a', project: 'Main_' }),
    jumpName({ owner: 'a', project: 'x'.repeat(50) }),
  ];
  expect(new Set(names).size).toBe(4);
  for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
});

it.each([
  ['ubuntu', 'https://index.docker.io/v1/'],
  ['team/image:tag', 'https://index.docker.io/v1/'],
  ['docker.io/team/image', 'https://index.docker.io/v1/'],
  ['ghcr.io/team/image@sha256:0', 'ghcr.io'],
  ['localhost/image', 'localhost'],
  ['registry:5000/image', 'registry:5000'],
])('%s is in the registry %s', (image, registry) => {
  expect(registryOf(image)).toBe(registry);
});

it('writes the credentials of a registry as nodes read them', () => {
  expect(JSON.parse(dockerConfig('ghcr.io/a/b', { username: 'me', password: 'pä' }))).toEqual({
    auths: { 'ghcr.io': { username: 'me', password: 'pä', auth: Buffer.from('me:pä').toString('base64') } },
  });
});
