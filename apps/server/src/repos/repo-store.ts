import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { ClientError } from '../http/api-errors.js';
import { Keyring } from '../keys/keyring.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { WORLD, type World } from '../world/world.js';

export interface RepoRow {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly info: string;
}

/** Runs without a repo belong to this one. */
export const DEFAULT_VIRTUAL_REPO_ID = 'none';

/** The rows of repos and their credentials; callers bring the transaction. */
@Injectable()
export class RepoStore {
  constructor(
    private readonly keyring: Keyring,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async find(tx: ReadTx, projectId: string, repoId: string): Promise<RepoRow | undefined> {
    const [row] = await tx.query<RepoRow>('SELECT id, name, type, info FROM repos WHERE project_id = ? AND name = ?', [
      projectId,
      repoId,
    ]);
    return row;
  }

  async get(tx: ReadTx, projectId: string, repoId: string): Promise<RepoRow> {
    const row = await this.find(tx, projectId, repoId);
    if (row === undefined)
      throw new ClientError(`Repo ${repoId} does not exist in this project. Run dstack init`, 'repo_does_not_exist');
    return row;
  }

  async put(tx: WriteTx, projectId: string, repoId: string, info: Wire.RepoHead['repo_info']): Promise<RepoRow> {
    await tx.execute(
      `INSERT INTO repos (id, project_id, name, type, info, created_at) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (project_id, name) DO UPDATE SET type = excluded.type, info = excluded.info`,
      [this.world.ids.uuid(), projectId, repoId, info.repo_type, JSON.stringify(info), this.world.clock.now()],
    );
    return this.get(tx, projectId, repoId);
  }

  /** The virtual repo of runs that name none; made when first needed. */
  async ensureVirtual(tx: WriteTx, projectId: string, repoId = DEFAULT_VIRTUAL_REPO_ID): Promise<RepoRow> {
    return (await this.find(tx, projectId, repoId)) ?? this.put(tx, projectId, repoId, { repo_type: 'virtual' });
  }

  async creds(tx: ReadTx, repoRowId: string, userId: string): Promise<Wire.RemoteRepoCreds | null> {
    const [row] = await tx.query<{ creds: string }>('SELECT creds FROM repo_creds WHERE repo_id = ? AND user_id = ?', [
      repoRowId,
      userId,
    ]);
    if (row === undefined) return null;
    return JSON.parse(this.keyring.decrypt(row.creds)) as Wire.RemoteRepoCreds; // written by `setCreds`
  }

  /** Null forgets what was stored. */
  async setCreds(tx: WriteTx, repoRowId: string, userId: string, creds: Wire.RemoteRepoCreds | null): Promise<void> {
    await tx.execute('DELETE FROM repo_creds WHERE repo_id = ? AND user_id = ?', [repoRowId, userId]);
    if (creds === null) return;
    await tx.execute('INSERT INTO repo_creds (id, repo_id, user_id, creds) VALUES (?, ?, ?, ?)', [
      this.world.ids.uuid(),
      repoRowId,
      userId,
      this.keyring.encrypt(JSON.stringify(creds)),
    ]);
  }
}
