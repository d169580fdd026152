import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { ProjectScope } from '../auth/caller.js';
import { codeKey } from '../files/blob-store.js';
import type { Upload } from '../files/upload.js';
import { Uploads } from '../files/uploads.js';
import { ClientError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import { WORLD, type World } from '../world/world.js';
import { RepoStore, type RepoRow } from './repo-store.js';

@Injectable()
export class ReposService {
  constructor(
    private readonly db: Database,
    private readonly repos: RepoStore,
    @Inject(Uploads) private readonly uploads: Uploads,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async list(scope: ProjectScope): Promise<Wire.RepoHead[]> {
    const rows = await this.db.read((tx) =>
      tx.query<RepoRow>('SELECT id, name, type, info FROM repos WHERE project_id = ? ORDER BY name', [scope.projectId]),
    );
    return rows.map(toHead);
  }

  /** Credentials are the caller's own. */
  async get(scope: ProjectScope, request: Wire.GetRepoRequest): Promise<Wire.RepoHeadWithCreds> {
    return this.db.read(async (tx) => {
      const row = await this.repos.get(tx, scope.projectId, request.repo_id);
      const creds = request.include_creds ? await this.repos.creds(tx, row.id, scope.caller.id) : null;
      return { ...toHead(row), repo_creds: creds };
    });
  }

  /** Without credentials the stored ones of the caller are forgotten: the repo is public to them. */
  async init(scope: ProjectScope, request: Wire.SaveRepoCredsRequest): Promise<void> {
    await this.db.write(async (tx) => {
      const row = await this.repos.put(tx, scope.projectId, request.repo_id, request.repo_info);
      await this.repos.setCreds(tx, row.id, scope.caller.id, request.repo_creds ?? null);
    });
  }

  async delete(scope: ProjectScope, repoIds: readonly string[]): Promise<void> {
    await this.db.write(async (tx) => {
      for (const repoId of repoIds) {
        const row = await this.repos.get(tx, scope.projectId, repoId);
        const runs = await tx.query('SELECT id FROM runs WHERE repo_id = ? LIMIT 1', [row.id]);
        if (runs.length > 0) throw new ClientError(`Repo ${repoId} is used by runs and stays`);
        await tx.execute('DELETE FROM repos WHERE id = ?', [row.id]);
      }
    });
  }

  async uploadCode(scope: ProjectScope, repoId: string, upload: Upload): Promise<void> {
    await this.db.read((tx) => this.repos.get(tx, scope.projectId, repoId));
    const kept = await this.uploads.put(codeKey(scope.projectName, repoId, upload.hash), upload.content);
    await this.db.write(async (tx) => {
      const row = await this.repos.get(tx, scope.projectId, repoId);
      await tx.execute(
        `INSERT INTO codes (id, repo_id, blob_hash, content, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (repo_id, blob_hash) DO UPDATE SET created_at = excluded.created_at`,
        [this.world.ids.uuid(), row.id, upload.hash, kept, this.world.clock.now()],
      );
    });
  }
}

function toHead({ name, info }: RepoRow): Wire.RepoHead {
  return { repo_id: name, repo_info: JSON.parse(info) as Wire.RepoHead['repo_info'] };
}
