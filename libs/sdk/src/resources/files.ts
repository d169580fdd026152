import type { Wire } from '@dstack/core';
import { isDstackError } from '../errors.js';
import type { CallOptions, Transport } from '../http/transport.js';
import { uploadForm } from './upload-form.js';

/** Archives of files, kept per user and known by their SHA-256. */
export class Files {
  constructor(private readonly transport: Transport) {}

  /** The archive with this content, uploaded only when the server does not have it. */
  async ensureArchive(tar: Uint8Array, options: CallOptions = {}): Promise<Wire.FileArchive> {
    const { createHash } = await import('node:crypto');
    const hash = createHash('sha256').update(tar).digest('hex');
    return (await this.find(hash, options)) ?? (await this.upload(hash, tar, options));
  }

  async find(hash: string, options: CallOptions = {}): Promise<Wire.FileArchive | undefined> {
    const body: Wire.GetFileArchiveByHashRequest = { hash };
    try {
      return await this.transport.json({
        path: '/api/files/get_archive_by_hash',
        body,
        repeatable: 'read',
        ...options,
      });
    } catch (error) {
      if (isDstackError(error, 'not-found')) return undefined;
      throw error;
    }
  }

  private async upload(hash: string, tar: Uint8Array, options: CallOptions): Promise<Wire.FileArchive> {
    const body = await uploadForm(hash, tar);
    return this.transport.json({ path: '/api/files/upload_archive', body, repeatable: 'keyed-write', ...options });
  }
}
