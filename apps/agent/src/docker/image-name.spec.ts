import { imageReference, parseImageName, registryOf } from './image-name.js';

const HUB = 'https://index.docker.io/v1/';
const DIGEST = `sha256:${'0'.repeat(64)}`;

it.each([
  ['ubuntu', 'ubuntu:latest', true, HUB],
  ['ubuntu:24.04', 'ubuntu:24.04', false, HUB],
  ['me/app:latest', 'me/app:latest', true, HUB],
  ['localhost/app', 'localhost/app:latest', true, 'localhost'],
  ['host:5000/app', 'host:5000/app:latest', true, 'host:5000'],
  ['host:5000/a/b:1', 'host:5000/a/b:1', false, 'host:5000'],
  ['ghcr.io/a/b', 'ghcr.io/a/b:latest', true, 'ghcr.io'],
  [`app@${DIGEST}`, `app@${DIGEST}`, false, HUB],
  [`host:5000/app:latest@${DIGEST}`, `host:5000/app@${DIGEST}`, false, 'host:5000'],
])('%s is %s', (text, reference, moves, registry) => {
  const name = parseImageName(text);
  expect([imageReference(name), name.moves, registryOf(name)]).toEqual([reference, moves, registry]);
});

it('refuses a name without a repository', () => {
  expect(() => parseImageName(':1')).toThrow('":1" is not the name of an image');
});
