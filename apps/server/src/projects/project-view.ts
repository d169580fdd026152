import { Inject, Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import type { GlobalRole, ProjectRole } from '../auth/caller.js';
import { toWireTime } from '../http/wire-time.js';
import type { ReadTx } from '../persistence/transaction.js';
import { DEFAULT_PERMISSIONS, type DefaultPermissions } from '../settings/default-permissions.js';
import { toWireUser, userColumns, type UserRow } from '../users/user-row.js';
import { BackendStore } from '../backends/backend-store.js';
import type { ProjectRow } from './project-store.js';

/** How a project looks on the wire. */
@Injectable()
export class ProjectView {
  constructor(
    private readonly backends: BackendStore,
    @Inject(DEFAULT_PERMISSIONS) private readonly permissions: DefaultPermissions,
  ) {}

  /** Lists leave members and backends out: pages of many projects stay one query. */
  async brief(tx: ReadTx, project: ProjectRow): Promise<Wire.Project> {
    const [owner] = await tx.query<UserRow>(`SELECT ${userColumns('u')} FROM users u WHERE u.id = ?`, [
      project.owner_id,
    ]);
    if (owner === undefined) throw new Error(`Project ${project.name} has no owner.`);
    return {
      project_id: project.id,
      project_name: project.name,
      owner: toWireUser(owner, this.permissions),
      created_at: toWireTime(project.created_at),
      backends: [],
      members: [],
      is_public: project.is_public,
      templates_repo: project.templates_repo,
    };
  }

  async full(tx: ReadTx, project: ProjectRow): Promise<Wire.Project> {
    const members = await tx.query<UserRow & { project_role: ProjectRole }>(
      `SELECT ${userColumns('u')}, m.project_role FROM members m JOIN users u ON u.id = m.user_id
       WHERE m.project_id = ? ORDER BY m.member_num, u.name`,
      [project.id],
    );
    return {
      ...(await this.brief(tx, project)),
      backends: await this.backends.wireInfos(tx, project.id),
      members: members.map((row) => ({
        user: toWireUser(row, this.permissions),
        project_role: row.project_role,
        permissions: this.memberPermissions(row.global_role, row.project_role),
      })),
    };
  }

  private memberPermissions(globalRole: GlobalRole, role: ProjectRole): Wire.MemberPermissions {
    const isAdmin = globalRole === 'admin' || role === 'admin';
    return {
      can_manage_ssh_fleets: isAdmin || this.permissions.allowNonAdminsManageSshFleets,
      can_manage_secrets: isAdmin || (role === 'manager' && this.permissions.allowManagersManageSecrets),
    };
  }
}
