import { advancePull, PULL_BEGIN, pullProgress } from './pull-progress.js';
import { isUnreachable } from './pull-image.js';

/** Of an engine with the classic store; layer c is there already, b is too small for a progress line. */
const CLASSIC = `
{"status":"Pulling from library/debian","id":"12"}
{"status":"Pulling fs layer","progressDetail":{},"id":"aaaaaaaaaaaa"}
{"status":"Pulling fs layer","progressDetail":{},"id":"bbbbbbbbbbbb"}
{"status":"Already exists","progressDetail":{},"id":"cccccccccccc"}
{"status":"Waiting","progressDetail":{},"id":"bbbbbbbbbbbb"}
{"status":"Downloading","progressDetail":{"current":400,"total":1000},"progress":"[==>  ] 400B/1kB","id":"aaaaaaaaaaaa"}
{"status":"Verifying Checksum","progressDetail":{},"id":"bbbbbbbbbbbb"}
{"status":"Download complete","progressDetail":{},"id":"bbbbbbbbbbbb"}
{"status":"Download complete","progressDetail":{},"id":"aaaaaaaaaaaa"}
{"status":"Extracting","progressDetail":{"current":600,"total":1000},"progress":"[==>  ] 600B/1kB","id":"aaaaaaaaaaaa"}
{"status":"Pull complete","progressDetail":{},"id":"aaaaaaaaaaaa"}
{"status":"Pull complete","progressDetail":{},"id":"bbbbbbbbbbbb"}
{"status":"Digest: sha256:0123"}
{"status":"Status: Downloaded newer image for debian:12"}`.trim();

/** Of an engine with the containerd store: extraction is told in seconds. */
const CONTAINERD = `
{"status":"Pulling fs layer","progressDetail":{},"id":"aaaaaaaaaaaa"}
{"status":"Downloading","progressDetail":{"current":1000,"total":1000},"id":"aaaaaaaaaaaa"}
{"status":"Extracting","progressDetail":{"current":1,"units":"s"},"id":"aaaaaaaaaaaa"}`.trim();

const after = (stream: string, lines = Infinity) => stream.split('\n').slice(0, lines).reduce(advancePull, PULL_BEGIN);
const told = (stream: string, lines?: number): unknown[] => Object.values(pullProgress(after(stream, lines)));

describe('progress of a pull (downloaded, extracted, total, is the total final)', () => {
  it.each<[string, string, number, (number | boolean)[]]>([
    ['before any layer is known', CLASSIC, 1, [0, 0, 0, false]],
    ['while sizes are unknown', CLASSIC, 5, [0, 0, 0, false]],
    ['while one downloads and one waits', CLASSIC, 6, [400, 0, 1000, false]],
    ['once each size is known', CLASSIC, 8, [400, 0, 1000, true]],
    ['while it extracts', CLASSIC, 10, [1000, 600, 1000, true]],
    ['at the end', CLASSIC, 14, [1000, 1000, 1000, true]],
    ['with the containerd store', CONTAINERD, 3, [1000, 0, 1000, true]],
  ])('%s', (_when, stream, lines, expected) => {
    expect(told(stream, lines)).toEqual(expected);
  });

  it('is complete only with the engine’s last word', () => {
    expect(after(CLASSIC, 13).finalStatus).toBeUndefined();
    expect(after(CLASSIC).finalStatus).toBe('Downloaded newer image for debian:12');
  });

  it('keeps the registry’s message, starts a layer again when it is retried, and passes over what is not a line of its own', () => {
    expect(advancePull(PULL_BEGIN, '{"errorDetail":{"message":"toomanyrequests"},"error":"x"}').error).toBe(
      'toomanyrequests',
    );
    const retried = advancePull(after(CLASSIC, 6), '{"status":"Retrying in 5 seconds","id":"aaaaaaaaaaaa"}');
    expect(pullProgress(retried)).toMatchObject({ downloadedBytes: 0, totalBytes: 1000 });
    expect(advancePull(PULL_BEGIN, 'not json')).toBe(PULL_BEGIN);
  });
});

it.each([
  ['Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host', true],
  ['Get "https://localhost:1/v2/": dial tcp [::1]:1: connect: connection refused', true],
  ['net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)', true],
  ['Get "https://ghcr.io/v2/": net/http: TLS handshake timeout', true],
  ['received unexpected HTTP status: 503 Service Unavailable', true],
  ['pull access denied for x, repository does not exist or may require docker login', false],
  ['manifest for x:1 not found: manifest unknown', false],
  ['toomanyrequests: You have reached your pull rate limit', false],
])('whether a registry was reached: %s', (message, expected) => {
  expect(isUnreachable(message)).toBe(expected);
});
