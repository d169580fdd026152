import { Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { Keyring } from '../keys/keyring.js';
import { Database } from '../persistence/database.js';
import { RepoStore } from '../repos/repo-store.js';

/** Values that are encrypted at rest, opened for the moment a job is handed to its agent. */
@Injectable()
export class StoredSecrets {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    private readonly repos: RepoStore,
  ) {}

  async secrets(projectId: string): Promise<ReadonlyMap<string, string>> {
    const rows = await this.db.read((tx) =>
      tx.query<{ name: string; value: string }>('SELECT name, value FROM secrets WHERE project_id = ?', [projectId]),
    );
    return new Map(rows.map(({ name, value }) => [name, this.keyring.decrypt(value)]));
  }

  /** `repoId` is the row's id, not the name that clients know. */
  async repoCredentials(repoId: string, userId: string): Promise<Wire.RemoteRepoCreds | null> {
    return this.db.read((tx) => this.repos.creds(tx, repoId, userId));
  }
}
