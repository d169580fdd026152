import { GoogleClient, GoogleError } from '../google/google-client.js';
import { type BlobStore, BlobStoreError } from './blob-store.js';

const API = 'https://storage.googleapis.com';

export interface GcsOptions {
  readonly bucket: string;
  /** Another address than Google's. */
  readonly endpoint?: string | undefined;
}

/** A bucket of Google Cloud Storage. */
export class GcsBlobStore implements BlobStore {
  readonly name: string;
  private readonly client: GoogleClient;
  private readonly bucket: string;

  constructor({ bucket, endpoint = API }: GcsOptions) {
    this.name = `gs://${bucket}`;
    this.bucket = encodeURIComponent(bucket);
    this.client = new GoogleClient(endpoint);
  }

  async put(key: string, content: Buffer): Promise<void> {
    const query = new URLSearchParams({ uploadType: 'media', name: key });
    const headers = { 'content-type': 'application/octet-stream' };
    await this.ask(`/upload/storage/v1/b/${this.bucket}/o?${query.toString()}`, {
      method: 'POST',
      headers,
      body: new Uint8Array(content),
    });
  }

  async get(key: string): Promise<Buffer | null> {
    const response = await this.unlessMissing(() => this.ask(`${this.path(key)}?alt=media`));
    return response === null ? null : Buffer.from(await response.arrayBuffer());
  }

  async delete(key: string): Promise<void> {
    await this.unlessMissing(() => this.ask(this.path(key), { method: 'DELETE' }));
  }

  async check(): Promise<void> {
    await this.ask(`/storage/v1/b/${this.bucket}`);
  }

  close(): void {
    // Requests are single ones.
  }

  private path(key: string): string {
    return `/storage/v1/b/${this.bucket}/o/${encodeURIComponent(key)}`;
  }

  private async unlessMissing<T>(ask: () => Promise<T>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      const { cause } = error as Error; // `ask` throws nothing else
      if (cause instanceof GoogleError && cause.status === 404 && !/^The specified bucket/.test(cause.message))
        return null;
      throw error;
    }
  }

  private async ask(path: string, init?: RequestInit): Promise<Response> {
    try {
      return await this.client.send(path, init);
    } catch (error) {
      const status = error instanceof GoogleError ? error.status : 0;
      const message = error instanceof Error ? error.message : String(error);
      if (status !== 401 && status !== 403 && status !== 404)
        throw new BlobStoreError(`${this.name}: ${message}`, true, { cause: error });
      throw new BlobStoreError(
        `${this.name} cannot be used (${message}): give the server's account the role storage.objectUser and storage.buckets.get there, or set DSTACK_SERVER_GCS_BUCKET`,
        false,
        { cause: error },
      );
    }
  }
}
