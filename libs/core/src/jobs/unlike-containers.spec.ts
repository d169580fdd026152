import { unlikeContainers } from './unlike-containers.js';

const node = (over: Partial<Parameters<typeof unlikeContainers>[0][number]> = {}) => ({
  image_name: 'ubuntu',
  requirements: { resources: {} },
  ...over,
});

it.each([
  ['no node', [], null],
  ['one node, whatever it has', [node({ volumes: [{ name: 'data', path: '/data' }] })], null],
  ['nodes of one image', [node(), node()], null],
  ['nodes that leave out what others say is off', [node({ registry_auth: null }), node()], null],
  ['nodes of two images', [node(), node({ image_name: 'alpine' })], /images/],
  ['nodes of two logins', [node(), node({ registry_auth: { username: 'u', password: 'p' } })], /registry_auth/],
  ['a privileged node', [node(), node({ privileged: true })], /privileged/],
  ['nodes with another shared memory', [node(), node({ requirements: { resources: { shm_size: 4 } } })], /shm_size/],
  ['nodes with a network volume', [node({ volumes: [{ name: 'data', path: '/data' }] }), node()], /volume/],
  ['nodes with a directory of their host', [node({ volumes: [{ instance_path: '/a', path: '/a' }] }), node()], null],
] as const)('%s', (_what, specs, expected) => {
  const because = unlikeContainers(specs);
  if (expected === null) expect(because).toBeNull();
  else expect(because).toMatch(expected);
});
