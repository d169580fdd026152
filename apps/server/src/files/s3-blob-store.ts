import type { S3Client } from '@aws-sdk/client-s3';
import { type BlobStore, BlobStoreError } from './blob-store.js';

export interface S3Options {
  readonly bucket: string;
  /** Undefined: as the AWS configuration of the machine says. */
  readonly region: string | undefined;
  /** Another service that speaks S3. */
  readonly endpoint?: string | undefined;
}

type Sdk = typeof import('@aws-sdk/client-s3');

const REQUEST_MS = 60_000;
const FORBIDDEN =
  /AccessDenied|Forbidden|InvalidAccessKeyId|SignatureDoesNotMatch|CredentialsProviderError|ExpiredToken/;

export class S3BlobStore implements BlobStore {
  readonly name: string;

  private constructor(
    private readonly sdk: Sdk,
    private readonly client: S3Client,
    private readonly bucket: string,
  ) {
    this.name = `s3://${bucket}`;
  }

  static async open({ bucket, region, endpoint }: S3Options): Promise<S3BlobStore> {
    const sdk = await import('@aws-sdk/client-s3');
    const client = new sdk.S3Client({
      ...(region === undefined ? {} : { region }),
      // Other services than Amazon's have no name for each bucket.
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    });
    return new S3BlobStore(sdk, client, bucket);
  }

  async put(Key: string, Body: Buffer): Promise<void> {
    const command = new this.sdk.PutObjectCommand({ Bucket: this.bucket, Key, Body });
    await this.asked(() => this.client.send(command, within()));
  }

  async get(Key: string): Promise<Buffer | null> {
    const command = new this.sdk.GetObjectCommand({ Bucket: this.bucket, Key });
    return this.asked(async () => {
      try {
        const { Body } = await this.client.send(command, within());
        return Body === undefined ? null : Buffer.from(await Body.transformToByteArray());
      } catch (error) {
        if (error instanceof Error && error.name === 'NoSuchKey') return null;
        throw error;
      }
    });
  }

  async delete(Key: string): Promise<void> {
    const command = new this.sdk.DeleteObjectCommand({ Bucket: this.bucket, Key });
    await this.asked(() => this.client.send(command, within()));
  }

  async check(): Promise<void> {
    const command = new this.sdk.HeadBucketCommand({ Bucket: this.bucket });
    await this.asked(() => this.client.send(command, within()));
  }

  close(): void {
    this.client.destroy();
  }

  private async asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw this.explain(error);
    }
  }

  private explain(error: unknown): BlobStoreError {
    const [name, message] = error instanceof Error ? [error.name, error.message] : ['', String(error)];
    const because = { cause: error };
    if (/NoSuchBucket|NotFound/.test(name))
      return new BlobStoreError(`there is no bucket ${this.name}: create it, or set DSTACK_SERVER_S3_BUCKET`, false, because); // prettier-ignore
    if (FORBIDDEN.test(name) || /^(403|Region is missing)$/.test(message))
      return new BlobStoreError(
        `${this.name} does not let this server in (${message}): it needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket, and the region (DSTACK_SERVER_S3_BUCKET_REGION)`,
        false,
        because,
      );
    return new BlobStoreError(`${this.name}: ${name}: ${message}`, true, because);
  }
}

function within(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(REQUEST_MS) };
}
