import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PullProgress } from '@dstack/agent-protocol';
import { hasImage, pullImage } from '../../src/docker/pull-image.js';
import { describeContainers, docker } from './engine.js';
import { FakeRegistry } from './fake-registry.js';

const credentials = { username: 'me', password: 'secret' };

describeContainers('pulling from a registry', () => {
  let registry: FakeRegistry;
  let image: string;

  beforeAll(async () => {
    const dir = mkdtempSync(join(tmpdir(), 'layer-'));
    writeFileSync(join(dir, 'data'), randomBytes(3_000_000));
    const layer = execFileSync('tar', ['-C', dir, '-c', '.'], { maxBuffer: 10_000_000 });
    rmSync(dir, { recursive: true });
    registry = await FakeRegistry.start(layer, credentials);
    image = `${registry.host}/team/app:1`;
  });
  afterAll(async () => {
    await docker
      .getImage(image)
      .remove({ force: true })
      .catch(() => undefined);
    await registry.stop();
  });

  const pull = (more: object, told: PullProgress[] = [], lines: string[] = []) =>
    pullImage(docker, {
      image,
      signal: AbortSignal.timeout(20_000),
      now: Date.now,
      onProgress: (progress) => told.push(progress),
      log: (line) => lines.push(line),
      ...more,
    });

  it('fails without credentials, and gives none away with wrong ones', async () => {
    await expect(pull({})).rejects.toThrow(/cannot pull image .*(no basic auth|unauthorized|who are you)/i);
    const wrong = pull({ registryAuth: { username: 'me', password: 'wrong-secret' } });
    await expect(wrong).rejects.toThrow(/unauthorized|who are you/i);
    await expect(wrong).rejects.not.toThrow(/wrong-secret/);
    expect(await hasImage(docker, image)).toBe(false);
  });

  it('pulls with credentials, tells how far it is, and does not pull again', async () => {
    const told: PullProgress[] = [];
    expect(await pull({ registryAuth: credentials }, told)).toBe(image);
    const last = told.at(-1);
    expect(last?.isTotalFinal).toBe(true);
    expect(last?.totalBytes).toBeGreaterThan(2_900_000);
    expect(last).toMatchObject({ downloadedBytes: last?.totalBytes, extractedBytes: last?.totalBytes });
    const lines: string[] = [];
    await pull({}, [], lines);
    expect(lines).toEqual([`image ${image} is on this host already`]);
  });

  it('can be cancelled', async () => {
    const signal = AbortSignal.abort(new Error('not any more'));
    await expect(pull({ image: `${registry.host}/team/other:1`, signal })).rejects.toThrow('was cancelled');
  });
});
