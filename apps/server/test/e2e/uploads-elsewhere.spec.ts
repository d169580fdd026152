import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoogleStorageFake } from '@dstack/cloud-fakes/google-services';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Way } from '../support/way.js';
import { runSpec, ServerProcess, submission } from './server-process.js';

jest.setTimeout(120_000);

describe('a server whose uploads Google Cloud Storage keeps', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dstack-gcs-'));
  let bucket: GoogleStorageFake;
  let way: Way;
  let server: ServerProcess;

  beforeAll(async () => {
    bucket = await GoogleStorageFake.start();
    way = await Way.to(bucket.url);
    writeFileSync(join(dir, 'key.json'), bucket.key.file);
    server = new ServerProcess(null, {
      GOOGLE_APPLICATION_CREDENTIALS: join(dir, 'key.json'),
      DSTACK_SERVER_GCS_BUCKET: bucket.bucket,
      DSTACK_SERVER_BACKEND_ENDPOINTS: `gcs=${way.url}`,
    });
    await server.start();
  });
  afterAll(async () => {
    await server.destroy();
    await way.close();
    await bucket.close();
    rmSync(dir, { recursive: true });
    expect(bucket.violations).toEqual([]);
  });

  /** An archive with one file of this name and text. */
  const archive = (name: string, text: string): Buffer => {
    writeFileSync(join(dir, name), text);
    return execFileSync('tar', ['-C', dir, '-cf', '-', name]);
  };
  const upload = (content: Buffer): Promise<Response> => {
    const form = new FormData();
    const hash = createHash('sha256').update(content).digest('hex');
    form.append('file', new Blob([new Uint8Array(content)]), hash);
    return server.upload('files/upload_archive', form);
  };
  const runWith = (name: string, file: string, id: string) => {
    const configuration = { name, commands: [`cat ${file}`] };
    const plan = { run_spec: { ...runSpec(configuration), file_archives: [{ id, path: file }] } };
    return server.post('project/main/runs/apply', { plan, force: false });
  };

  it('has what was uploaded there, and jobs get it', async () => {
    const content = archive('one.txt', 'of the bucket\n');
    const reply = await upload(content);
    const { id } = (await reply.json()) as { id: string };
    expect([...bucket.objects.values()]).toEqual([content]);
    await runWith('one', 'one.txt', id);
    expect(submission(await server.finished('one')).status).toBe('done');
    expect(await server.logs('one')).toBe('of the bucket\n');
  });

  it('takes nothing while the bucket is away, says so, and jobs wait for what is there', async () => {
    const { id } = (await (await upload(archive('two.txt', 'waited for\n'))).json()) as { id: string };
    way.isOpen = false;
    const refused = await upload(archive('three.txt', 'never'));
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('The upload could not be stored. Try again')]); // prettier-ignore
    await runWith('two', 'two.txt', id);
    await server.until('two', ({ status }) => status === 'provisioning');
    await server.kill('SIGKILL');
    await server.start();
    expect(server.log()).toContain('Uploads fail until the bucket can be reached');
    expect((await server.run('two')).status).not.toMatch(/failed|terminat/);
    way.isOpen = true;
    expect(submission(await server.finished('two')).status).toBe('done');
    expect(await server.logs('two')).toBe('waited for\n');
    expect(bucket.objects.size).toBe(2);
  });
});
