import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { Caller } from '../auth/caller.js';
import { ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import type { Upload } from './upload.js';

/** Archives of local files that runs mount; each user has their own. */
@Injectable()
export class FileArchivesService {
  constructor(
    private readonly db: Database,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async findByHash(caller: Caller, hash: string): Promise<Wire.FileArchive> {
    const [row] = await this.db.read((tx) =>
      tx.query<{ id: string }>('SELECT id FROM file_archives WHERE user_id = ? AND blob_hash = ?', [caller.id, hash]),
    );
    if (row === undefined) throw new ResourceNotExistsError('No archive of this hash is uploaded');
    return { id: row.id, hash };
  }

  async upload(caller: Caller, { hash, content }: Upload): Promise<Wire.FileArchive> {
    await this.db.write((tx) =>
      tx.execute(
        `INSERT INTO file_archives (id, user_id, blob_hash, content, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (user_id, blob_hash) DO NOTHING`,
        [this.world.ids.uuid(), caller.id, hash, content, this.world.clock.now()],
      ),
    );
    return this.findByHash(caller, hash);
  }
}
