import { Inject, Injectable } from '@nestjs/common';
import { Keyring } from '../keys/keyring.js';
import { Database } from '../persistence/database.js';
import type { ReadTx } from '../persistence/transaction.js';
import { WORLD, type World } from '../world/world.js';
import type { Caller, GlobalRole, ProjectRole, ProjectScope } from './caller.js';
import { sameToken, tokenHash } from './token.js';

interface CallerRow {
  id: string;
  name: string;
  global_role: GlobalRole;
  token: string;
}

interface ProjectRow {
  id: string;
  name: string;
  is_public: boolean;
  owner_id: string;
}

@Injectable()
export class AuthService {
  constructor(
    private readonly db: Database,
    private readonly keyring: Keyring,
    @Inject(WORLD) private readonly world: Pick<World, 'clock'>,
  ) {}

  /** Undefined: the token is not one of an active user. */
  async authenticate(token: string): Promise<Caller | undefined> {
    return this.db.read((tx) => this.caller(tx, token));
  }

  /** `caller` undefined: invalid token; `scope` undefined: no such project. */
  async enterProject(token: string, projectName: string): Promise<{ caller?: Caller; scope?: ProjectScope }> {
    return this.db.read(async (tx) => {
      const caller = await this.caller(tx, token);
      if (caller === undefined) return {};
      const [project] = await tx.query<ProjectRow>(
        'SELECT id, name, is_public, owner_id FROM projects WHERE name = ? AND deleted = false',
        [projectName],
      );
      if (project === undefined) return { caller };
      const [member] = await tx.query<{ project_role: ProjectRole }>(
        'SELECT project_role FROM members WHERE project_id = ? AND user_id = ?',
        [project.id, caller.id],
      );
      const scope = {
        projectId: project.id,
        projectName: project.name,
        isPublic: project.is_public,
        ownerId: project.owner_id,
        caller,
        role: member?.project_role ?? null,
      };
      return { caller, scope };
    });
  }

  /** Of a project that imports something from this one. */
  async isImporter(scope: ProjectScope): Promise<boolean> {
    const rows = await this.db.read((tx) =>
      tx.query(
        `SELECT im.id FROM exports e JOIN imports im ON im.export_id = e.id JOIN members m ON m.project_id = im.project_id
         WHERE e.project_id = ? AND m.user_id = ? LIMIT 1`,
        [scope.projectId, scope.caller.id],
      ),
    );
    return rows.length > 0;
  }

  private async caller(tx: ReadTx, token: string): Promise<Caller | undefined> {
    const [row] = await tx.query<CallerRow>(
      'SELECT id, name, global_role, token FROM users WHERE token_hash = ? AND active = true AND deleted = false AND is_service_account = false',
      [tokenHash(token)],
    );
    if (row === undefined) return this.bearerOfAnother(tx, token);
    const stored = this.keyring.tryDecrypt(row.token);
    if (stored === undefined || !sameToken(stored, token)) return undefined;
    return { id: row.id, name: row.name, globalRole: row.global_role };
  }

  /** Of a token that somebody made beside the user's own; it is known by its hash alone. */
  private async bearerOfAnother(tx: ReadTx, token: string): Promise<Caller | undefined> {
    const [row] = await tx.query<Omit<CallerRow, 'token'> & { token_id: string }>(
      `SELECT t.id AS token_id, u.id, u.name, u.global_role FROM user_tokens t JOIN users u ON u.id = t.user_id
       WHERE t.token_hash = ? AND (t.expires_at IS NULL OR t.expires_at > ?) AND u.active = true AND u.deleted = false`,
      [tokenHash(token), this.world.clock.now()],
    );
    return row && { id: row.id, name: row.name, globalRole: row.global_role, tokenId: row.token_id };
  }
}
