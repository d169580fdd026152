import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { archiveKey } from './blob-store.js';
import type { Upload } from './upload.js';
import { Uploads } from './uploads.js';

const FRESH_MS = 3_600_000;

/** Archives of local files that runs mount; each user has their own. */
@Injectable()
export class FileArchivesService {
  constructor(
    private readonly db: Database,
    @Inject(Uploads) private readonly uploads: Uploads,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async findByHash(caller: Caller, hash: string): Promise<Wire.FileArchive> {
    const now = this.world.clock.now();
    const [row] = await this.db.read((tx) =>
      tx.query<{ id: string; created_at: number }>(
        'SELECT id, created_at FROM file_archives WHERE user_id = ? AND blob_hash = ?',
        [caller.id, hash],
      ),
    );
    // It is about to be used, so it counts as new for whoever tidies up.
    if (row !== undefined && row.created_at < now - FRESH_MS)
      await this.db.write((tx) => tx.execute('UPDATE file_archives SET created_at = ? WHERE id = ?', [now, row.id]));
    if (row === undefined) throw new ResourceNotExistsError('No archive of this hash is uploaded');
    return { id: row.id, hash };
  }

  async upload(caller: Caller, { hash, content }: Upload): Promise<Wire.FileArchive> {
    const kept = await this.uploads.put(archiveKey(caller.id, hash), content);
    await this.db.write((tx) =>
      tx.execute(
        `INSERT INTO file_archives (id, user_id, blob_hash, content, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (user_id, blob_hash) DO NOTHING`,
        [this.world.ids.uuid(), caller.id, hash, kept, this.world.clock.now()],
      ),
    );
    return this.findByHash(caller, hash);
  }
}
