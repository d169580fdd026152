import { createHash } from 'node:crypto';
import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { ClientError } from '../http/api-errors.js';
import type { BlobStoreSettings } from '../settings/blob-settings.js';
import { SettingsError } from '../settings/settings-error.js';
import { type BlobStore, BlobStoreError } from './blob-store.js';

/** An upload as its row has it. */
export interface StoredUpload {
  readonly hash: string;
  /** Null: it is in the bucket. */
  readonly content: Buffer | null;
  /** Where it is in a bucket. */
  readonly key: string;
}

/** Where the content of uploads is: in their rows, or in a bucket. */
export class Uploads implements OnApplicationShutdown {
  constructor(private readonly bucket: BlobStore | null) {}

  /** Before its row is written. @returns what goes into the row @throws {ClientError} when the bucket does not take it */
  async put(key: string, content: Buffer): Promise<Buffer | null> {
    if (this.bucket === null) return content;
    try {
      await this.bucket.put(key, content);
      return null;
    } catch (error) {
      if (!(error instanceof BlobStoreError)) throw error;
      throw new ClientError(`The upload could not be stored. Try again, or tell the administrator: ${error.message}`);
    }
  }

  /** Checked against its hash: nothing else may reach a job under its name. */
  async content({ hash, content, key }: StoredUpload): Promise<Buffer> {
    const found = content ?? (await this.fromBucket(key));
    const actual = createHash('sha256').update(found).digest('hex');
    if (actual === hash) return found;
    throw new Error(`the upload ${key} has the hash ${actual}: it was changed, and is not used. Upload it again`);
  }

  /** After its row. What cannot be deleted stays: nothing points to it. */
  async delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.bucket?.delete(key);
  }

  async check(): Promise<void> {
    await this.bucket?.check();
  }

  get name(): string | null {
    return this.bucket?.name ?? null;
  }

  onApplicationShutdown(): void {
    this.bucket?.close();
  }

  private async fromBucket(key: string): Promise<Buffer> {
    if (this.bucket === null)
      throw new Error(
        `the upload ${key} is in a bucket, and this server has none: set DSTACK_SERVER_S3_BUCKET or DSTACK_SERVER_GCS_BUCKET as before`,
      );
    const found = await this.bucket.get(key);
    if (found === null) throw new Error(`the upload ${key} is not in ${this.bucket.name} any more. Apply again`);
    return found;
  }
}

/** The library of a cloud is loaded when its bucket is configured. @throws {SettingsError} when the bucket cannot be used */
export async function openUploads(
  settings: BlobStoreSettings | undefined,
  env: NodeJS.ProcessEnv,
  { isChecked = true } = {},
): Promise<Uploads> {
  if (settings === undefined) return new Uploads(null);
  const uploads = new Uploads(await openBucket(settings, env));
  if (!isChecked) return uploads;
  const log = new Logger('Uploads');
  try {
    await uploads.check();
    log.log(`Uploaded code and files go to ${uploads.name}`);
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error;
    if (!error.isOutage) throw new SettingsError(`Uploads cannot be kept there: ${error.message}.`);
    log.warn(`Uploads fail until the bucket can be reached: ${error.message}`);
  }
  return uploads;
}

async function openBucket(settings: BlobStoreSettings, env: NodeJS.ProcessEnv): Promise<BlobStore> {
  if (settings.type === 'gcs') {
    const { GcsBlobStore } = await import('./gcs-blob-store.js');
    return new GcsBlobStore(settings);
  }
  const { S3BlobStore } = await import('./s3-blob-store.js');
  return S3BlobStore.open({ ...settings, endpoint: env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] });
}
