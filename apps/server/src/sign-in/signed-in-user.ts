import { Inject, Injectable, Logger } from '@nestjs/common';
import type { GlobalRole, ProjectRole } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ForbiddenError } from '../http/api-errors.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { ProjectStore } from '../projects/project-store.js';
import { projectTarget } from '../projects/project-target.js';
import { readJson, writeJson } from '../reconcile/stored-json.js';
import type { OidcSettings } from '../settings/oidc-settings.js';
import type { UserRow } from '../users/user-row.js';
import { userColumns } from '../users/user-row.js';
import { UserStore, userTarget } from '../users/user-store.js';
import { WORLD, type World } from '../world/world.js';
import { type Grants, grantsOf, type Person } from './person.js';

interface Identity {
  readonly id: string;
  readonly userId: string;
  /** Ids of the projects that groups made the user a member of; others are none of their business. */
  readonly managed: readonly string[];
}

/** The user behind a person: made at the first sign-in, and given the roles of the person's groups at each. */
@Injectable()
export class SignedInUser {
  private readonly log = new Logger('SignIn');

  constructor(
    private readonly users: UserStore,
    private readonly projects: ProjectStore,
    private readonly events: EventRecorder,
    @Inject(WORLD) private readonly world: World,
  ) {}

  /** @throws {ForbiddenError} when the person may not enter */
  async enter(tx: WriteTx, settings: OidcSettings, person: Person): Promise<UserRow> {
    const grants = grantsOf(person.groups, settings);
    if (!grants.isAllowed)
      throw new ForbiddenError(`${person.username} is in none of the groups that may sign in to this server`);
    const known = await findIdentity(tx, settings.issuer, person.subject);
    const identity = known ?? (await this.link(tx, settings.issuer, person, grants));
    const user = await userById(tx, identity.userId);
    if (user === undefined || !user.active) throw new ForbiddenError(`User ${person.username} is deactivated`);
    await this.giveGlobalRole(tx, user, grants.globalRole);
    await this.giveProjects(tx, user, identity, grants.projects);
    await this.record(tx, `User signed in with ${settings.name}`, user);
    return this.users.get(tx, user.name);
  }

  /** An address that an admin gave a user, and that the provider has verified, says who he is; a name says nothing. */
  private async link(tx: WriteTx, issuer: string, person: Person, grants: Grants): Promise<Identity> {
    const [invited] = person.isEmailVerified
      ? await tx.query<UserRow>(
          `SELECT ${userColumns('u')} FROM users u WHERE lower(u.email) = lower(?) AND u.deleted = false
             AND u.id NOT IN (SELECT user_id FROM user_identities) ORDER BY u.created_at LIMIT 1`,
          [person.email],
        )
      : [];
    const user = invited ?? (await this.create(tx, person, grants));
    const id = this.world.ids.uuid();
    await tx.execute(
      `INSERT INTO user_identities (id, user_id, issuer, subject, managed_projects, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
      [id, user.id, issuer, person.subject, writeJson([]), this.world.clock.now()],
    );
    return { id, userId: user.id, managed: [] };
  }

  private async create(tx: WriteTx, { username, email, isEmailVerified }: Person, grants: Grants): Promise<UserRow> {
    if ((await tx.query('SELECT id FROM users WHERE lower(name) = lower(?)', [username])).length > 0)
      throw new ForbiddenError(
        `There is a user ${username} already, and nothing shows that it is you. Ask an admin to give it your verified e-mail address`,
      );
    return this.users.create(tx, {
      name: username,
      globalRole: grants.globalRole ?? 'user',
      email: isEmailVerified ? email : null,
      active: true,
      createdBy: null,
    });
  }

  private async giveGlobalRole(tx: WriteTx, user: UserRow, role: GlobalRole | null): Promise<void> {
    if (role === null || role === user.global_role) return;
    if (role === 'user' && (await isLastAdmin(tx, user.id))) {
      this.log.warn(`${user.name} stays a global admin, as the only one there is`);
      return;
    }
    await tx.execute('UPDATE users SET global_role = ? WHERE id = ?', [role, user.id]);
    await this.record(tx, `User updated by groups. Global role: ${user.global_role} -> ${role}`, user);
  }

  private async giveProjects(
    tx: WriteTx,
    user: UserRow,
    identity: Identity,
    wanted: ReadonlyMap<string, ProjectRole>,
  ): Promise<void> {
    const managed = new Set(identity.managed);
    const given = new Set<string>();
    for (const [name, role] of wanted) {
      const project = await this.projects.find(tx, name);
      if (project === undefined) this.log.warn(`Groups give roles in project ${name}, which does not exist`);
      else if (await this.giveRole(tx, user, { ...project, isManaged: managed.has(project.id) }, role))
        given.add(project.id);
    }
    for (const projectId of managed) if (!given.has(projectId)) await this.takeRole(tx, user, projectId);
    await tx.execute('UPDATE user_identities SET managed_projects = ? WHERE id = ?', [
      writeJson([...given]),
      identity.id,
    ]);
  }

  /** Returns whether the membership is one of groups: those that people made are theirs. */
  private async giveRole(
    tx: WriteTx,
    user: UserRow,
    project: { id: string; name: string; isManaged: boolean },
    role: ProjectRole,
  ): Promise<boolean> {
    const current = await roleIn(tx, project.id, user.id);
    if (current !== null && !project.isManaged) return false;
    if (current === role) return true;
    if (current === 'admin' && (await isLastProjectAdmin(tx, project.id, user.id))) return true;
    const [row] = await tx.query<{ count: number }>('SELECT count(*) AS count FROM members WHERE project_id = ?', [
      project.id,
    ]);
    await this.projects.setMember(tx, project.id, user.id, role, Number(row?.count ?? 0));
    await this.recordRole(tx, user, project, current, role);
    return true;
  }

  private async takeRole(tx: WriteTx, user: UserRow, projectId: string): Promise<void> {
    const [project] = await tx.query<{ name: string }>('SELECT name FROM projects WHERE id = ? AND deleted = false', [
      projectId,
    ]);
    const current = await roleIn(tx, projectId, user.id);
    if (project === undefined || current === null || (await isLastProjectAdmin(tx, projectId, user.id))) return;
    await tx.execute('DELETE FROM members WHERE project_id = ? AND user_id = ?', [projectId, user.id]);
    await this.recordRole(tx, user, { id: projectId, name: project.name }, current, null);
  }

  private recordRole(
    tx: WriteTx,
    user: UserRow,
    project: { id: string; name: string },
    from: ProjectRole | null,
    to: ProjectRole | null,
  ): Promise<void> {
    return this.events.record(tx, {
      message: `Project member changed by groups. Role: ${from ?? 'none'} -> ${to ?? 'none'}`,
      actorId: null,
      targets: [projectTarget(project.id, project.name), userTarget(user.id, user.name)],
    });
  }

  private record(tx: WriteTx, message: string, user: UserRow): Promise<void> {
    return this.events.record(tx, { message, actorId: user.id, targets: [userTarget(user.id, user.name)] });
  }
}

async function findIdentity(tx: ReadTx, issuer: string, subject: string): Promise<Identity | undefined> {
  const [row] = await tx.query<{ id: string; user_id: string; managed_projects: string }>(
    'SELECT id, user_id, managed_projects FROM user_identities WHERE issuer = ? AND subject = ?',
    [issuer, subject],
  );
  return row === undefined
    ? undefined
    : { id: row.id, userId: row.user_id, managed: readJson<string[]>(row.managed_projects) };
}

async function userById(tx: ReadTx, id: string): Promise<UserRow | undefined> {
  const [row] = await tx.query<UserRow>(
    `SELECT ${userColumns('u')} FROM users u WHERE u.id = ? AND u.deleted = false`,
    [id],
  );
  return row;
}

async function roleIn(tx: ReadTx, projectId: string, userId: string): Promise<ProjectRole | null> {
  const [row] = await tx.query<{ project_role: ProjectRole }>(
    'SELECT project_role FROM members WHERE project_id = ? AND user_id = ?',
    [projectId, userId],
  );
  return row?.project_role ?? null;
}

async function isLastProjectAdmin(tx: ReadTx, projectId: string, userId: string): Promise<boolean> {
  const admins = await tx.query<{ user_id: string }>(
    `SELECT user_id FROM members WHERE project_id = ? AND project_role = 'admin'`,
    [projectId],
  );
  return admins.length === 1 && admins[0]?.user_id === userId;
}

async function isLastAdmin(tx: ReadTx, userId: string): Promise<boolean> {
  const others = await tx.query(
    `SELECT id FROM users WHERE global_role = 'admin' AND active = true AND deleted = false AND id <> ? LIMIT 1`,
    [userId],
  );
  return others.length === 0;
}
