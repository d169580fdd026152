import { createHash } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { GoogleStorageFake } from '@dstack/cloud-fakes/google-services';
import { Moto, whyNoMoto } from '@dstack/cloud-fakes/moto';
import type { BlobStore } from '../src/files/blob-store.js';
import { findUpload } from '../src/files/find-upload.js';
import { GcsBlobStore } from '../src/files/gcs-blob-store.js';
import { S3BlobStore } from '../src/files/s3-blob-store.js';
import { openUploads, Uploads } from '../src/files/uploads.js';
import { Retention } from '../src/retention/retention.js';
import { FileLogStore } from '../src/logs/file-log-store.js';
import type { BlobStoreSettings } from '../src/settings/blob-settings.js';
import { readSettings } from '../src/settings/read-settings.js';
import { realWorld } from '../src/world/real-world.js';
import { useGoogleKey } from './support/log-sinks.js';
import { startTestServer, type TestServer } from './support/start-test-server.js';

interface Bucket {
  readonly settings: BlobStoreSettings;
  /** Of the same bucket, for what this server does not do by itself. */
  readonly store: BlobStore;
  stop(): Promise<void>;
}

const isFull = process.env['DSTACK_TEST_FULL'] !== undefined;
const why = isFull ? whyNoMoto() : 'it is part of the full run';
if (isFull && why !== null) console.warn(`S3 was not tried on moto: ${why}`);

const kinds: { readonly name: string; open(): Promise<Bucket> }[] = [
  { name: 'Google Cloud Storage', open: openGcs },
  ...(why === null ? [{ name: 'S3 (moto)', open: openS3 }] : []),
];

async function openGcs(): Promise<Bucket> {
  const fake = await GoogleStorageFake.start();
  const forget = useGoogleKey(fake.key.file);
  const { bucket } = fake;
  return {
    settings: { type: 'gcs', bucket, endpoint: fake.url },
    store: new GcsBlobStore({ bucket, endpoint: fake.url }),
    stop: async () => {
      forget();
      await fake.close();
      if (fake.violations.length > 0) throw new Error(fake.violations.join('\n'));
    },
  };
}

async function openS3(): Promise<Bucket> {
  const moto = await Moto.start();
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_ENDPOINT_URL_S3: moto.url });
  const client = new S3Client({ region: 'us-east-1', endpoint: moto.url, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: 'uploads' }));
  client.destroy();
  const options = { bucket: 'uploads', region: 'us-east-1' };
  return {
    settings: { type: 's3', ...options },
    store: await S3BlobStore.open({ ...options, endpoint: moto.url }),
    stop: async () => {
      delete process.env['AWS_ENDPOINT_URL_S3'];
      await moto.stop();
    },
  };
}

const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

function upload(server: TestServer, path: string, content: string) {
  const body =
    `--b\r\nContent-Disposition: form-data; name="file"; filename="${sha256(content)}"\r\n` +
    `Content-Type: application/octet-stream\r\n\r\n${content}\r\n--b--\r\n`;
  return server.call('POST', path, { body, headers: { 'content-type': 'multipart/form-data; boundary=b' } });
}

describe.each(kinds)('uploads in a bucket of $name', ({ open }) => {
  let bucket: Bucket;
  let server: TestServer;
  let uploads: Uploads;
  let userId: string;
  beforeAll(async () => {
    bucket = await open();
    server = await startTestServer({ blobStore: bucket.settings });
    uploads = await openUploads(bucket.settings, process.env);
    userId = ((await server.post('/api/users/get_my_user')).body as { id: string }).id;
  }, 60_000);
  afterAll(async () => {
    uploads.onApplicationShutdown();
    bucket.store.close();
    await server.close();
    await bucket.stop();
  });
  const contentOf = async (archiveId: string, content: string): Promise<string> => {
    const selector = { repoId: null, archives: [archiveId], hash: sha256(content) };
    const found = await server.db.read((tx) => findUpload(tx, selector));
    if (found === null) throw new Error('no such upload');
    return (await uploads.content(found)).toString('latin1');
  };
  const uploadArchive = async (content: string): Promise<string> =>
    ((await upload(server, '/api/files/upload_archive', content)).body as { id: string }).id;
  const archiveAt = (content: string): string => `data/users/${userId}/file_archives/${sha256(content)}`;

  it('are there, and nothing of them in the database', async () => {
    const id = await uploadArchive('an archive');
    expect((await bucket.store.get(archiveAt('an archive')))?.toString()).toBe('an archive');
    expect(await server.db.read((tx) => tx.query('SELECT content FROM file_archives'))).toEqual([{ content: null }]);
    expect(await contentOf(id, 'an archive')).toBe('an archive');
  });

  it('of code, too, by project and repo', async () => {
    await server.post('/api/project/main/repos/init', { repo_id: 'my-repo', repo_info: { repo_type: 'local', repo_dir: '/x' }, repo_creds: null }); // prettier-ignore
    const { status } = await upload(server, '/api/project/main/repos/upload_code?repo_id=my-repo', 'a diff');
    expect(status).toBe(200);
    const key = `data/projects/main/codes/my-repo/${sha256('a diff')}`;
    expect((await bucket.store.get(key))?.toString()).toBe('a diff');
    const [repo] = await server.db.read((tx) =>
      tx.query<{ id: string }>("SELECT id FROM repos WHERE name = 'my-repo'"),
    );
    const selector = { repoId: repo?.id ?? '', archives: [], hash: sha256('a diff') };
    const found = await server.db.read((tx) => findUpload(tx, selector));
    expect(found).toEqual({ hash: sha256('a diff'), content: null, key });
  });

  it('that were changed or taken away there reach no job', async () => {
    const id = await uploadArchive('genuine');
    await bucket.store.put(archiveAt('genuine'), Buffer.from('poisoned'));
    await expect(contentOf(id, 'genuine')).rejects.toThrow(/it was changed, and is not used/);
    await bucket.store.delete(archiveAt('genuine'));
    await expect(contentOf(id, 'genuine')).rejects.toThrow(/is not in (gs|s3):\/\/\S+ any more/);
  });

  it('that came before there was a bucket are read from the database', async () => {
    const id = await uploadArchive('of before');
    await bucket.store.delete(archiveAt('of before'));
    await server.db.write((tx) =>
      tx.execute('UPDATE file_archives SET content = ? WHERE id = ?', [Buffer.from('of before'), id]),
    );
    expect(await contentOf(id, 'of before')).toBe('of before');
  });

  it('go with their rows', async () => {
    await uploadArchive('old');
    const logs = new FileLogStore(server.serverDir);
    const world = { ...realWorld(), clock: { now: () => Date.now() + 3_600_000 } };
    const { settings } = readSettings({ DSTACK_SERVER_UPLOADS_TTL_SECONDS: '60' });
    await new Retention(server.db, logs, uploads, settings, world).tidy();
    expect(await bucket.store.get(archiveAt('old'))).toBeNull();
    expect(await server.db.read((tx) => tx.query('SELECT id FROM file_archives'))).toEqual([]);
    await bucket.store.delete(archiveAt('old'));
  });

  it('are refused at start when there is no such bucket', async () => {
    await expect(openUploads({ ...bucket.settings, bucket: 'nowhere' }, process.env)).rejects.toThrow(
      /Uploads cannot be kept there: .*nowhere/,
    );
  });
});

it('has one bucket at most', () => {
  const both = { DSTACK_SERVER_S3_BUCKET: 'a', DSTACK_SERVER_GCS_BUCKET: 'b' };
  expect(() => readSettings(both)).toThrow(/are both set/);
  expect(readSettings({ DSTACK_SERVER_BUCKET: 'a', DSTACK_SERVER_BUCKET_REGION: 'r' }).settings.blobStore).toEqual({ type: 's3', bucket: 'a', region: 'r' }); // prettier-ignore
});
