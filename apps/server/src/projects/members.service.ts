import { Injectable } from '@nestjs/common';
import type { Wire } from '@dstack/core';
import { hasRole, type ProjectRole, type ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ForbiddenError, ResourceNotExistsError } from '../http/api-errors.js';
import { Database } from '../persistence/database.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { UserStore, userTarget } from '../users/user-store.js';
import { refuseMemberChange, type MemberChange } from './member-rules.js';
import { ProjectStore } from './project-store.js';
import { projectTarget } from './project-target.js';
import { ProjectView } from './project-view.js';

@Injectable()
export class MembersService {
  constructor(
    private readonly db: Database,
    private readonly projects: ProjectStore,
    private readonly users: UserStore,
    private readonly view: ProjectView,
    private readonly events: EventRecorder,
  ) {}

  /** Replaces all members. */
  async set(scope: ProjectScope, settings: readonly Wire.MemberSetting[]): Promise<Wire.Project> {
    return this.change(scope, async (tx, current) => {
      const wanted = await this.resolve(tx, settings);
      const removed = [...current].filter(([id]) => !wanted.has(id));
      const changes = [
        ...removed.map(([userId, role]) => ({ userId, from: role, to: null })),
        ...[...wanted].map(([userId, to]) => ({ userId, from: current.get(userId) ?? null, to })),
      ];
      return changes.filter(({ from, to }) => from !== to);
    });
  }

  /** Any user may join a public project as `user`; naming a member changes the role. */
  async add(scope: ProjectScope, settings: readonly Wire.MemberSetting[]): Promise<Wire.Project> {
    const selfJoin = settings.every((setting) => setting.username === scope.caller.name);
    if (!hasRole(scope, 'manager') && !(scope.isPublic && selfJoin)) throw new ForbiddenError();
    return this.change(scope, async (tx, current) => {
      const wanted = await this.resolve(tx, settings);
      return [...wanted]
        .map(([userId, to]) => ({ userId, from: current.get(userId) ?? null, to }))
        .filter(({ from, to }) => from !== to);
    });
  }

  /** Managers remove others, everybody may leave. */
  async remove(scope: ProjectScope, usernames: readonly string[]): Promise<Wire.Project> {
    const leaving = usernames.every((name) => name === scope.caller.name);
    if (!hasRole(scope, 'manager') && !leaving) throw new ForbiddenError();
    return this.change(scope, async (tx, current) => {
      // One after the other: a transaction is one connection.
      const ids: string[] = [];
      for (const name of usernames) ids.push((await this.users.get(tx, name)).id);
      const missing = usernames.filter((_, index) => !current.has(ids[index] ?? ''));
      if (missing.length > 0) throw new ResourceNotExistsError(`Not a member of the project: ${missing.join(', ')}`);
      return ids.map((userId) => ({ userId, from: current.get(userId) ?? null, to: null }));
    });
  }

  private async change(
    scope: ProjectScope,
    plan: (tx: WriteTx, current: ReadonlyMap<string, ProjectRole>) => Promise<MemberChange[]>,
  ): Promise<Wire.Project> {
    return this.db.write(async (tx) => {
      const current = await membersOf(tx, scope.projectId);
      const changes = await plan(tx, current);
      refuseMemberChange(scope, current, changes);
      for (const [index, { userId, from, to }] of changes.entries()) {
        if (to === null)
          await tx.execute('DELETE FROM members WHERE project_id = ? AND user_id = ?', [scope.projectId, userId]);
        else await this.projects.setMember(tx, scope.projectId, userId, to, current.size + index);
        await this.record(tx, scope, { userId, from, to });
      }
      return this.view.full(tx, await this.projects.get(tx, scope.projectName));
    });
  }

  private async resolve(tx: ReadTx, settings: readonly Wire.MemberSetting[]): Promise<Map<string, ProjectRole>> {
    const roles = new Map<string, ProjectRole>();
    for (const { username, project_role: role } of settings) {
      const user = await this.users.get(tx, username);
      if (roles.has(user.id)) throw new ClientError(`${username} is named twice`);
      roles.set(user.id, role);
    }
    return roles;
  }

  private async record(tx: WriteTx, scope: ProjectScope, { userId, from, to }: MemberChange): Promise<void> {
    const [user] = await tx.query<{ name: string }>('SELECT name FROM users WHERE id = ?', [userId]);
    const was = from === null ? '' : `. role: ${from} → ${to ?? 'none'}`;
    const message = to === null ? `Project member removed${was}` : `Project member set to role ${to}${was}`;
    await this.events.record(tx, {
      message,
      actorId: scope.caller.id,
      targets: [projectTarget(scope.projectId, scope.projectName), userTarget(userId, user?.name ?? userId)],
    });
  }
}

async function membersOf(tx: ReadTx, projectId: string): Promise<Map<string, ProjectRole>> {
  const rows = await tx.query<{ user_id: string; project_role: ProjectRole }>(
    'SELECT user_id, project_role FROM members WHERE project_id = ?',
    [projectId],
  );
  return new Map(rows.map((row) => [row.user_id, row.project_role]));
}
