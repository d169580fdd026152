import { expect, it } from '@jest/globals';
import { registryAuthOf } from './registry-login.js';

const OWN = { registry: 'mirror.example.com/hub', username: 'server', password: 'of-the-server' };

it.each([
  ['as the server, from its registry', 'mirror.example.com/hub/debian', null, 'server'],
  ['as anybody, from another registry', 'ghcr.io/a/b', null, undefined],
  ['as anybody, from a registry whose name begins like it', 'mirror.example.com/hub2/debian', null, undefined],
  ['as its configuration says, from any', 'mirror.example.com/hub/debian', { username: 'ada', password: 'p' }, 'ada'],
])('an image is pulled %s', (_, image_name, registry_auth, username) => {
  expect(registryAuthOf({ image_name, registry_auth }, new Map(), OWN)?.username).toBe(username);
});

it('an image is pulled as anybody where the server has no login', () => {
  expect(registryAuthOf({ image_name: 'debian', registry_auth: null }, new Map(), null)).toBeNull();
});
