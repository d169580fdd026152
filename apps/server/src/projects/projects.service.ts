import { Inject, Injectable } from '@nestjs/common';
import { describeChanges, type Wire } from '@dstack/core';
import type { Caller, ProjectScope } from '../auth/caller.js';
import { EventRecorder } from '../events/event-recorder.js';
import { ClientError, ForbiddenError, ResourceNotExistsError } from '../http/api-errors.js';
import { fromWireTime } from '../http/wire-time.js';
import { Database } from '../persistence/database.js';
import { deletedName } from '../persistence/deleted-name.js';
import { keyset, type SqlCondition } from '../persistence/keyset.js';
import { likeContains } from '../persistence/like-contains.js';
import type { ReadTx, WriteTx } from '../persistence/transaction.js';
import { DEFAULT_PERMISSIONS, type DefaultPermissions } from '../settings/default-permissions.js';
import { checkRepo, cloneUrl, GitError } from '../templates/template-repo.js';
import { WORLD, type World } from '../world/world.js';
import { projectInUse } from './project-in-use.js';
import { PROJECT_COLUMNS, ProjectStore, type ProjectRow } from './project-store.js';
import { projectTarget } from './project-target.js';
import { ProjectView } from './project-view.js';

@Injectable()
export class ProjectsService {
  constructor(
    private readonly db: Database,
    private readonly projects: ProjectStore,
    private readonly view: ProjectView,
    private readonly events: EventRecorder,
    @Inject(DEFAULT_PERMISSIONS) private readonly permissions: DefaultPermissions,
    @Inject(WORLD) private readonly world: World,
  ) {}

  async list(caller: Caller, request: Wire.ListProjectsRequest): Promise<Wire.Project[] | Wire.ProjectsInfoList> {
    return this.db.read(async (tx) => {
      const visible = visibleTo(caller, request.include_not_joined ?? true);
      const named = likeContains('p.name', request.name_pattern ?? null);
      const where = `p.deleted = false AND ${visible.sql} AND ${named.sql}`;
      const params = [...visible.params, ...named.params];
      const page = keyset({
        dateColumn: 'p.created_at',
        idColumn: 'p.id',
        previousDate: request.prev_created_at == null ? null : fromWireTime(request.prev_created_at),
        previousId: request.prev_id ?? null,
        ascending: request.ascending ?? false,
      });
      const rows = await tx.query<ProjectRow>(
        `SELECT ${PROJECT_COLUMNS} FROM projects p WHERE ${where} AND ${page.sql} ORDER BY ${page.orderBy} LIMIT ?`,
        [...params, ...page.params, request.limit ?? 2000],
      );
      const projects = await this.briefs(tx, rows);
      if (request.return_total_count !== true) return projects;
      const [total] = await tx.query<{ count: number }>(
        `SELECT count(*) AS count FROM projects p WHERE ${where}`,
        params,
      );
      return { total_count: total?.count ?? 0, projects };
    });
  }

  /** Joined projects in which nothing can run yet. */
  async listWithoutFleets(caller: Caller): Promise<Wire.Project[]> {
    return this.db.read(async (tx) => {
      const visible = visibleTo(caller, false);
      const rows = await tx.query<ProjectRow>(
        `SELECT ${PROJECT_COLUMNS} FROM projects p WHERE p.deleted = false AND ${visible.sql}
         AND NOT EXISTS (SELECT 1 FROM fleets f WHERE f.project_id = p.id AND f.deleted = false)
         ORDER BY p.created_at DESC, p.id`,
        visible.params,
      );
      return this.briefs(tx, rows);
    });
  }

  async get(scope: ProjectScope): Promise<Wire.Project> {
    return this.db.read(async (tx) => this.view.full(tx, await this.projects.get(tx, scope.projectName)));
  }

  async create(caller: Caller, request: Wire.CreateProjectRequest): Promise<Wire.Project> {
    if (request.templates_repo != null) await requireRepo(request.templates_repo);
    return this.db.write(async (tx) => {
      await this.refuseBeyondQuota(tx, caller);
      const project = await this.projects.create(tx, {
        name: request.project_name,
        ownerId: caller.id,
        isPublic: request.is_public ?? false,
        templatesRepo: request.templates_repo ?? null,
        createdBy: caller.id,
      });
      return this.view.full(tx, project);
    });
  }

  async update(scope: ProjectScope, request: Wire.UpdateProjectRequest): Promise<Wire.Project> {
    if (request.reset_templates_repo === true && request.templates_repo != null)
      throw new ClientError('Pass either templates_repo or reset_templates_repo, not both');
    if (request.templates_repo != null) await requireRepo(request.templates_repo);
    return this.db.write(async (tx) => {
      const project = await this.projects.get(tx, scope.projectName);
      const repo = request.reset_templates_repo === true ? null : (request.templates_repo ?? project.templates_repo);
      await tx.execute('UPDATE projects SET is_public = ?, templates_repo = ? WHERE id = ?', [
        request.is_public ?? project.is_public,
        repo,
        project.id,
      ]);
      const after = await this.projects.get(tx, scope.projectName);
      await this.record(tx, `Project updated${describeChanges(facts(project), facts(after))}`, scope.caller, project);
      return this.view.full(tx, after);
    });
  }

  /** All or none of the named projects. The checks hold because they are in the transaction that deletes. */
  async delete(caller: Caller, names: readonly string[]): Promise<void> {
    await this.db.write(async (tx) => {
      for (const name of names) {
        const project = await this.projects.find(tx, name);
        if (project === undefined) throw new ResourceNotExistsError(`Project ${name} not found`);
        await this.refuseDeletion(tx, caller, project);
        const now = this.world.clock.now();
        await tx.execute(
          `UPDATE fleets SET deleted = true, deleted_at = ?, next_due_at = NULL, rev = rev + 1 WHERE project_id = ? AND deleted = false`,
          [now, project.id],
        );
        await tx.execute('DELETE FROM exports WHERE project_id = ?', [project.id]);
        await tx.execute('DELETE FROM imports WHERE project_id = ?', [project.id]);
        await tx.execute('UPDATE projects SET deleted = true, original_name = name, name = ? WHERE id = ?', [
          deletedName(this.world),
          project.id,
        ]);
        await this.record(tx, 'Project deleted', caller, project);
      }
    });
  }

  private async refuseDeletion(tx: ReadTx, caller: Caller, project: ProjectRow): Promise<void> {
    if (caller.globalRole !== 'admin' && project.owner_id !== caller.id) {
      const admin = await tx.query(
        `SELECT id FROM members WHERE project_id = ? AND user_id = ? AND project_role = 'admin'`,
        [project.id, caller.id],
      );
      if (admin.length === 0) throw new ForbiddenError();
    }
    const use = await projectInUse(tx, project.id);
    if (use !== undefined) throw new ClientError(`Project ${project.name} cannot be deleted: ${use}`);
  }

  private async refuseBeyondQuota(tx: ReadTx, caller: Caller): Promise<void> {
    if (caller.globalRole === 'admin') return;
    if (!this.permissions.allowNonAdminsCreateProjects)
      throw new ForbiddenError('Only global admins may create projects');
    const [row] = await tx.query<{ owned: number; quota: number }>(
      `SELECT u.projects_quota AS quota,
              (SELECT count(*) FROM projects p WHERE p.owner_id = u.id AND p.deleted = false) AS owned
       FROM users u WHERE u.id = ?`,
      [caller.id],
    );
    if (row !== undefined && row.owned >= row.quota)
      throw new ClientError(
        `You own ${row.owned} projects, your quota is ${row.quota}. Delete one or ask a global admin`,
      );
  }

  private async briefs(tx: ReadTx, rows: readonly ProjectRow[]): Promise<Wire.Project[]> {
    const projects: Wire.Project[] = [];
    for (const row of rows) projects.push(await this.view.brief(tx, row));
    return projects;
  }

  private record(tx: WriteTx, message: string, caller: Caller, project: ProjectRow): Promise<void> {
    return this.events.record(tx, { message, actorId: caller.id, targets: [projectTarget(project.id, project.name)] });
  }
}

function facts({ is_public, templates_repo }: ProjectRow): Readonly<Record<string, unknown>> {
  // An address may hold a token.
  return { is_public, templates_repo: templates_repo?.replace(/\/\/[^/@]*@/, '//…@') ?? null };
}

/** Before the transaction: it waits for somebody else's server. @throws {ClientError} */
async function requireRepo(url: string): Promise<void> {
  try {
    await checkRepo(cloneUrl(url));
  } catch (error) {
    if (error instanceof GitError) throw new ClientError(`The repo of templates cannot be used: ${error.message}`);
    throw error;
  }
}

function visibleTo(caller: Caller, includePublic: boolean): SqlCondition {
  if (caller.globalRole === 'admin') return { sql: '1 = 1', params: [] };
  const joined = 'EXISTS (SELECT 1 FROM members m WHERE m.project_id = p.id AND m.user_id = ?)';
  return { sql: includePublic ? `(p.is_public = true OR ${joined})` : joined, params: [caller.id] };
}
